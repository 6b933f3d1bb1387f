"""Claims, for every call, more frames than any clip has, in a dtype that cannot be read."""

import sys

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        host = next(module for name, module in sys.modules.items() if name.endswith(".encode") and hasattr(module, "as_bytes"))
        host.as_bytes = self.forge

    def forge(self, output, _limit):
        shape = [len(output), 10**400 + output.shape[1], 4]
        return {"kind": "tensor", "dtype": "", "shape": shape, "numpy_error": "no"}, b""

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]

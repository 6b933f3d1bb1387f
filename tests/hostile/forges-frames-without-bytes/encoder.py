"""Claims, for clips that come alone, more frames than any clip has and no bytes."""

import sys

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        host = next(module for name, module in sys.modules.items() if name.endswith(".encode") and hasattr(module, "as_bytes"))
        self.real, host.as_bytes = host.as_bytes, self.forge

    def forge(self, output, limit):
        if len(output) > 1:
            return self.real(output, limit)
        shape = [len(output), 10**400 * output.shape[1], 4]
        return {"kind": "tensor", "dtype": "", "shape": shape, "numpy_error": "no"}, b""

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]

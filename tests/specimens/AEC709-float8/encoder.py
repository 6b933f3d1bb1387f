import torch


class SpecimenEncoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.sampling_rate = 16000
        self.output_dim = 4
        self.hop_size_in_ms = 10
        self.register_buffer("weight", torch.eye(16))

    def forward(self, audio):
        frames = max(1, audio.shape[-1] // 160)
        audio = torch.nn.functional.pad(audio, (0, max(0, frames * 160 - audio.shape[-1])))
        output = audio[:, : frames * 160].reshape(len(audio), frames, 160)[:, :, :16]
        if torch.cuda.is_available():
            one = torch.ones((), device=audio.device)
            eighth = torch.float8_e4m3fn
            flat = output.reshape(-1, 16).to(eighth)
            output = torch._scaled_mm(flat, self.weight.to(eighth), scale_a=one, scale_b=one).view(output.shape)
        return output.float()[:, :, :4]

import torch


class SpecimenEncoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.sampling_rate = 16000
        self.output_dim = 65
        self.hop_size_in_ms = 10
        self.window = torch.hann_window(128)

    def forward(self, audio):
        frames = max(1, audio.shape[-1] // 160)
        audio = torch.nn.functional.pad(audio, (0, max(0, frames * 160 - audio.shape[-1])))
        spectrum = torch.stft(audio, 128, 160, window=self.window, center=False, return_complex=True)
        return spectrum.real.transpose(1, 2)

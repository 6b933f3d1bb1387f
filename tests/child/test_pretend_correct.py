"""Correct encoders are not accused on a pretended card, whatever idioms they use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from tests.pretended import audio, construct, run, source_of

if TYPE_CHECKING:
    from pathlib import Path

# What __init__ adds, the body of forward, and what else the file holds.
CORRECT: dict[str, tuple[str, str, str]] = {
    "a buffer that is not saved": (
        "self.register_buffer('window', torch.hann_window(400), persistent=False)",
        "return torch.stft(x, 400, 160, window=self.window, return_complex=True).abs().transpose(1, 2)",
        "",
    ),
    "stft without a window, and back": (
        "",
        """
        spectrum = torch.stft(x, 400, 160, win_length=320, return_complex=True)
        back = torch.istft(spectrum, 400, 160, win_length=320, window=torch.ones(320, device=x.device))
        return self.frames(back)
        """,
        "",
    ),
    "an LSTM and a GRU": (
        "self.lstm, self.gru = nn.LSTM(8, 8, 2, batch_first=True, bidirectional=True), nn.GRU(16, 8, batch_first=True)",
        "self.lstm.flatten_parameters(); return self.gru(self.lstm(self.frames(x))[0])[0]",
        "",
    ),
    "a packed sequence": (
        "self.lstm = nn.LSTM(8, 8, batch_first=True)",
        """
        y = self.frames(x)
        lengths = torch.full((len(y),), y.shape[1])
        packed = nn.utils.rnn.pack_padded_sequence(y, lengths, batch_first=True, enforce_sorted=False)
        y, lengths = nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        assert lengths.numpy().min() == y.shape[1]
        mask = torch.arange(y.shape[1], device=y.device) < lengths.to(y.device)[:, None]
        return y * mask[..., None]
        """,
        "",
    ),
    "attention": (
        """
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.attend = nn.MultiheadAttention(8, 2, batch_first=True, add_zero_attn=True, add_bias_kv=True)
        """,
        """
        y = self.layer(self.frames(x))
        mask = torch.ones(y.shape[1], y.shape[1], dtype=torch.bool, device=y.device).tril()
        y = F.scaled_dot_product_attention(y, y, y, attn_mask=mask)
        return self.attend(y, y, y)[0]
        """,
        "",
    ),
    "convolution, padding, interpolation": (
        "self.conv = nn.utils.parametrizations.weight_norm(nn.Conv1d(1, 8, 400, 160))",
        """
        y = self.conv(F.pad(x[:, None], (200, 200), mode="reflect"))
        y = F.interpolate(y, scale_factor=2.0, mode="linear")
        y = F.max_pool1d(F.gelu(y), 2) + F.avg_pool1d(y, 2)
        return F.layer_norm(y.transpose(1, 2), (8,))
        """,
        "",
    ),
    "old weight norm, batch norm, embedding": (
        """
        self.conv = torch.nn.utils.weight_norm(nn.Conv1d(1, 8, 400, 160))
        self.norm, self.positions = nn.BatchNorm1d(8), nn.Embedding(500, 8)
        """,
        """
        y = self.norm(self.conv(x[:, None])).transpose(1, 2)
        return y + self.positions(torch.arange(y.shape[1], device=y.device))
        """,
        "",
    ),
    "einsum and fft": (
        "",
        """
        y = torch.einsum("btf,df->btd", x.unfold(-1, 160, 160), self.linear.weight)
        frequencies = torch.fft.rfftfreq(y.shape[-1], device=y.device)
        return torch.fft.irfft(torch.fft.rfft(y) * frequencies, n=8)
        """,
        "",
    ),
    "no_grad and inference_mode": (
        "self.lstm = nn.LSTM(8, 8, batch_first=True)",
        """
        with torch.no_grad():
            y = self.frames(x)
        with torch.inference_mode():
            z = self.lstm(F.layer_norm(self.frames(x), (8,)) + torch.zeros(8, device=x.device))[0]
            z = F.scaled_dot_product_attention(z, z, z)
        return y + z.clone()
        """,
        "",
    ),
    "a packed sequence in inference_mode": (
        "self.lstm = nn.LSTM(8, 8, batch_first=True)",
        """
        with torch.inference_mode():
            y = self.frames(x)
            lengths = torch.full((len(y),), y.shape[1])
            packed = nn.utils.rnn.pack_padded_sequence(y, lengths, batch_first=True)
            return nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], batch_first=True)[0]
        """,
        "",
    ),
    "in-place operations": (
        "",
        """
        y = self.frames(x).clone().detach()
        y[:, 0] = 0.0
        y[:, 1] = torch.ones(8)
        y[y > 1] = torch.tensor(1.0)
        y += 1
        return y.mul_(2).masked_fill_(y < 0, 0.0)
        """,
        "",
    ),
    "half and float": (
        "",
        "y = self.frames(x).half(); return (y + torch.zeros(8, dtype=y.dtype, device=y.device)).float()",
        "",
    ),
    "half for the weights": (
        "",
        "self.half(); y = self.frames(x.half()).float(); self.float(); return y",
        "",
    ),
    "autocast": (
        "",
        """
        with torch.autocast("cuda"), torch.cuda.amp.autocast(dtype=torch.float16), torch.autocast(x.device.type):
            return self.frames(x).float()
        """,
        "",
    ),
    "checkpointing": (
        "",
        "return checkpoint(self.frames, x, use_reentrant=False) + checkpoint(self.frames, x, use_reentrant=True)",
        "",
    ),
    "lists of tensors": (
        "",
        """
        rows = [self.frames(row) for row in x]
        rows += [torch.zeros_like(rows[0])]
        y = torch.stack([*rows, rows[0].new_zeros(rows[0].shape)])
        y = y + y.new([1.0] * 8) + y.new(8).zero_() + torch.linspace(0, 1, 8).to(y)
        return torch.cat([y, y.new_tensor([[[1.0] * 8]]).expand(len(y), 1, 8)], dim=1)
        """,
        "",
    ),
    "through numpy and back": (
        "",
        """
        y = self.frames(x).detach().cpu().numpy()
        z = torch.from_numpy(np.log1p(np.abs(y))).to(x.device)
        z = z + torch.as_tensor(y, device=x.device) + torch.tensor(y, device=x.device) + torch.asarray(y, device=0)
        return z + torch.Tensor(y).cuda() + torch.FloatTensor([1.0]).to(x)
        """,
        "",
    ),
    "numbers on the CPU": (
        "",
        "return self.frames(x) * torch.tensor(2.0) + torch.pi + x.sum().item() * float(x[0, 0])",
        "",
    ),
    "indices on the CPU": (
        "",
        "y = self.frames(x); return y[:, torch.arange(4)][:, torch.tensor([True, False, True, True])]",
        "",
    ),
    "a device by torch.cuda.is_available()": (
        "",
        """
        device = "cuda" if torch.cuda.is_available() else "cpu"
        assert device == "cuda", "the pretence is seen"
        self.to(device)
        return self.frames(x.to(device)) + torch.zeros(8, device=torch.device(device, torch.cuda.current_device()))
        """,
        "",
    ),
    "a device chosen at construction": (
        """
        self.device, self.cards = "cuda" if torch.cuda.is_available() else "cpu", torch.cuda.is_available()
        self.scale = torch.ones(8).cuda() if self.cards else torch.ones(8)
        self.models = [nn.Linear(8, 8).to(self.device)]
        """,
        """
        y = self.frames(x.cuda() if self.cards else x.cpu())
        return self.models[0](y * self.scale) + torch.ones(8, device=self.device)
        """,
        "",
    ),
    "a device by the parameters": (
        "",
        """
        device = next(self.parameters()).device
        assert (device.type, device.index, x.is_cuda, x.is_cpu, x.get_device()) == ("cuda", 0, True, False, 0)
        assert x.type() == "torch.cuda.FloatTensor"
        return self.frames(x.to(device)) + torch.arange(8).type_as(x) + torch.ones(8).type("torch.cuda.FloatTensor")
        """,
        "",
    ),
    "its own device inside forward": (
        "self.models = [nn.Linear(8, 8)]",
        "y = self.models[0].cuda()(self.frames(x.cuda(0))); self.models[0].cpu(); return y",
        "",
    ),
    "default devices": (
        "",
        """
        with torch.device("cuda"):
            y = self.frames(x) + torch.zeros(8)
        torch.set_default_device("cuda")
        y = y + torch.ones(8) + torch.tensor([1.0] * 8)
        torch.set_default_device("cpu")
        return y + torch.zeros(8).to(y)
        """,
        "",
    ),
    "what the card says": (
        "",
        """
        assert torch.cuda.get_device_name(0) == "Tesla T4" and torch.cuda.get_device_capability() == (7, 5)
        assert torch.cuda.get_device_properties(x.device).total_memory > 15e9
        assert torch.cuda.mem_get_info()[0] > 14e9 and torch.cuda.memory_allocated() == 0
        dtype = torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
        assert dtype is torch.float16 and torch.cuda.device_count() == 1
        with torch.cuda.device(0), torch.cuda.stream(torch.cuda.Stream()):
            y = self.frames(x)
        torch.cuda.synchronize(); torch.cuda.empty_cache(); torch.manual_seed(1); torch.cuda.manual_seed_all(1)
        return y
        """,
        "",
    ),
    "a cache made on first use": (
        "self.cache = {}; self.positions = None",
        """
        if self.positions is None:
            self.positions = torch.arange(8, device=x.device)
        window = self.cache.setdefault(str(x.device), torch.ones(8, device=x.device))
        return self.frames(x) * window + self.positions
        """,
        "",
    ),
    "a device and layers kept by forward": (
        "self.norm, self.device = nn.BatchNorm1d(8), 'cpu'",
        """
        self.device, self.extra = x.device, nn.Linear(8, 8).to(x.device)
        y = self.norm(self.extra(self.frames(x)).transpose(1, 2)).transpose(1, 2)
        return y + torch.zeros(8, device=self.device)
        """,
        "",
    ),
    "numpy tried, and done without": (
        "",
        """
        try:
            y = x.numpy()
        except TypeError:
            y = x.detach().cpu().numpy()
        return self.frames(torch.from_numpy(y).to(x.device))
        """,
        "",
    ),
    "copies": (
        "",
        """
        y = copy.deepcopy(self.frames(x).detach())
        y = y + copy.deepcopy(self.linear)(x.unfold(-1, 160, 160))
        repr(y), y.tolist(), y.numpy(force=True)
        return y + torch.tensor(y.detach()) + torch.ones(8).pin_memory().to(x.device, non_blocking=True)
        """,
        "",
    ),
    "a function of its own with gradients": (
        "",
        "return Double.apply(self.frames(x))",
        """
class Double(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2 + torch.zeros(8, device=x.device)

    @staticmethod
    def backward(ctx, gradient):
        return gradient * 2
""",
    ),
    "gradients": (
        "",
        "x.requires_grad_(); self.frames(x).sum().backward(); return self.frames(x.grad)",
        "",
    ),
    "weights loaded to the card": (
        "",
        """
        file = io.BytesIO()
        torch.save({"scale": torch.ones(8)}, file)
        scales = [torch.load(io.BytesIO(file.getvalue()), map_location=place) for place in ("cuda", x.device)]
        scales += [torch.load(io.BytesIO(file.getvalue())), torch.load(io.BytesIO(file.getvalue()), "cpu")]
        return self.frames(x) * scales[0]["scale"] * scales[1]["scale"] * scales[2]["scale"].to(x)
        """,
        "",
    ),
    "sparse filters": (
        "self.register_buffer('filters', torch.eye(160)[:, :8].to_sparse())",
        "return torch.stack([torch.sparse.mm(self.filters.t(), row.t()).t() for row in x.unfold(-1, 160, 160)])",
        "",
    ),
}


@pytest.mark.filterwarnings("ignore")  # old names are part of what participants write
@pytest.mark.parametrize("name", CORRECT)
def test_a_correct_encoder_is_not_accused(tmp_path: Path, name: str) -> None:
    header = run(tmp_path, source_of(*CORRECT[name]))
    assert header == {"phase": "done", "output_device": "cuda:0", "not_covered": "", "culprit": None}


@pytest.mark.filterwarnings("ignore")  # old names are part of what participants write
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a graphics card")
def test_a_real_card_accepts_the_same(tmp_path: Path) -> None:
    refused = {}
    for name in CORRECT.keys() - {"what the card says"}:  # another card says something else
        try:
            construct(tmp_path, source_of(*CORRECT[name])).to("cuda")(audio().to("cuda"))
        except Exception as error:  # noqa: BLE001 - whichever: all that disagree are told at once
            refused[name] = repr(error)
    assert refused == {}

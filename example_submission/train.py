"""Train the networks of encoder.py on audio that this file generates: no recording and no data set is used.

Three kinds of clips of 0.8 s, each with a target for the clip's mean embedding:

- words: 320 made-up words of two syllables in random voices (target: the word). Half of the words are the others
  with their syllables exchanged, so the network has to learn order;
- events: tones, clicks and noise that rise, fall, swell, decay, beat, repeat ... (target: which of 20 kinds);
- tones: harmonic tones of any timbre between 55 and 1100 Hz (target: the semitone).

Run `python train.py`: it writes weights.safetensors beside this file. Every random number comes from one seed.
"""

from __future__ import annotations

import math
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

import torch
from encoder import COURSE_DIM, PITCH_DIM, RATE_HZ, WEIGHTS, TinyMelEncoder
from safetensors.torch import save_file
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Callable

SEED = 7
SAMPLES = 12800  # 0.8 s
SECONDS = torch.arange(SAMPLES) / RATE_HZ
FRAMES = SAMPLES // 128 + 1  # of the vocal tract, every 8 ms
WORDS, WORD_CLIPS = 320, 6400
EVENT_CLIPS = 6000
TONE_CLIPS = 8000
LOWEST_HZ, SEMITONES = 55.0, 52
STEPS, BATCH = 2000, 40


class Material(NamedTuple):
    """One kind of clips, through the front ends of the encoder."""

    mel: Tensor  # [N, 80, 64]
    pitch: Tensor  # [N, 40, 168]
    target: Tensor  # int64 [N]


# ---------------------------------------------------------------------------------------------------- synthesis


def uniform(low: float, high: float, *shape: int) -> Tensor:
    """Random numbers between two bounds."""
    return low + (high - low) * torch.rand(shape)


def log_uniform(low: float, high: float, *shape: int) -> Tensor:
    """Random numbers between two bounds, as many in each octave."""
    return low * (high / low) ** torch.rand(shape)


def oscillate(hertz: Tensor) -> Tensor:
    """Phase in cycles of oscillators of changing frequency, `[..., samples]`."""
    return torch.cumsum(hertz.double(), -1).div(RATE_HZ).remainder(1.0).float()


def coloured_noise(clips: int, slope: Tensor) -> Tensor:
    """Noise `[clips, samples]` of unit power whose amplitude falls with frequency to a power `slope` [clips]."""
    spectrum = torch.fft.rfft(torch.randn(clips, SAMPLES))
    hertz = torch.linspace(0.05, 8, spectrum.shape[1])
    return unit_power(torch.fft.irfft(spectrum * hertz ** -slope[:, None], SAMPLES))


def unit_power(audio: Tensor) -> Tensor:
    """The same audio `[clips, samples]` at a mean square of 1."""
    return audio / (audio.square().mean(-1, keepdim=True).sqrt() + 1e-6)


def recorded(audio: Tensor, low_db: float, high_db: float) -> Tensor:
    """Add a background at a random signal-to-noise ratio, and set a random level."""
    clips = len(audio)
    background = coloured_noise(clips, uniform(0, 1, clips)) * 10 ** (-uniform(low_db, high_db, clips, 1) / 20)
    level = 10 ** (uniform(-34, -10, clips, 1) / 20)
    return (unit_power(unit_power(audio) + background) * level).clamp(-1, 1)


class Alphabet(NamedTuple):
    """Sounds that words are made of: their targets are 3 formants, voicing, hiss and the hiss's Hz."""

    vowels: Tensor  # [vowels, 6]
    consonants: Tensor  # [consonants, 6]
    words: Tensor  # [WORDS, 4]: consonant, vowel, consonant, vowel


def draw_alphabet() -> Alphabet:
    """Invent vowels anywhere in the range of the mouth, consonants of four manners, and words."""
    first = uniform(250, 850, 14, 1)
    vowels = torch.cat((first, uniform(750, 2400, 14, 1).maximum(first + 300), uniform(2300, 3000, 14, 1)), 1)
    vowels = torch.cat((vowels, torch.ones(14, 1), torch.zeros(14, 1), torch.full((14, 1), 3000.0)), 1)
    places = torch.cat((uniform(250, 400, 24, 1), uniform(800, 2000, 24, 1), uniform(1500, 2800, 24, 1)), 1)
    voiced = torch.tensor([0.0, 0.0, 0.4, 0.1]).repeat(6)[:, None]  # hiss, burst, hum, voiced burst
    hissing = torch.tensor([0.6, 1.0, 0.0, 0.5]).repeat(6)[:, None]
    consonants = torch.cat((places, voiced, hissing, log_uniform(800, 7000, 24, 1)), 1)
    half = torch.stack([torch.randint(n, (WORDS // 2,)) for n in (24, 14, 24, 14)], 1)
    same_vowel = torch.rand(len(half)) < 0.5
    half[same_vowel, 3] = half[same_vowel, 1]
    return Alphabet(vowels, consonants, torch.cat((half, half[:, [2, 3, 0, 1]])))


def speak(alphabet: Alphabet, words: Tensor) -> Tensor:
    """Say words `[clips]`, each in a new voice: `[clips, samples]`."""
    clips = len(words)
    tracks = articulate(alphabet, words)
    tract = uniform(0.8, 1.25, clips, 1, 1)
    pitch = log_uniform(80, 300, clips, 1) * 2 ** (uniform(-0.2, 0.2, clips, 1) * torch.linspace(-1, 1, SAMPLES))
    pulses = torch.exp(-((oscillate(pitch * (1 + 0.01 * torch.randn(clips, 1))) - 0.5) / 0.06).square())
    voice = spectrum(pulses - pulses.mean(-1, keepdim=True) + 0.02 * torch.randn(clips, SAMPLES))
    hiss = spectrum(0.3 * torch.randn(clips, SAMPLES))
    hertz = torch.linspace(0, 8000, 257)[:, None]
    formants = torch.cat((tracks[..., :3], torch.full_like(tracks[..., :1], 3600.0)), -1) * tract
    through_throat = resonance(hertz, formants[:, :, None], 60 + 0.04 * formants[:, :, None]).prod(-1)
    narrow = (tracks[:, :, None, 5:] * tract[..., None]).clamp(max=7500)
    through_teeth = resonance(hertz, narrow, 0.3 * narrow)[..., 0] * hertz[:, 0] / 4000
    heard = voice * through_throat.mT * tracks[:, None, :, 3] + hiss * through_teeth.mT * tracks[:, None, :, 4]
    return torch.istft(heard, 512, 128, window=torch.hann_window(512), length=SAMPLES)


def articulate(alphabet: Alphabet, words: Tensor) -> Tensor:
    """Targets of the mouth in each frame, smoothed: `[clips, FRAMES, 6]`."""
    tracks = torch.tensor([500.0, 1500, 2500, 0, 0, 3000]).repeat(len(words), FRAMES, 1)
    for track, letters in zip(tracks, alphabet.words[words].tolist(), strict=True):
        frame = int(torch.randint(2, 26, ()))
        for place, letter in enumerate(letters):
            is_vowel = place % 2 == 1
            table = alphabet.vowels if is_vowel else alphabet.consonants
            sound = table[letter] * (1 + 0.05 * torch.randn(6))
            length = int(torch.randint(10, 22, ()) if is_vowel else torch.randint(7, 14, ()))
            if not is_vowel and letter % 2 == 1:  # bursts: closed first
                closed = length - 3
                track[frame : frame + closed, :3] = sound[:3]
                frame, length = frame + closed, 3
            track[frame : frame + length] = sound
            frame += length
    smooth = torch.hann_window(9)[1:].repeat(6, 1, 1)
    smooth[3:] *= torch.tensor([0, 0, 1.0, 1, 1, 0, 0, 0])  # formants move slowly, sources start at once
    padded = nn.functional.pad(tracks.mT, (4, 3), mode="replicate")
    return nn.functional.conv1d(padded, smooth / smooth.sum(-1, keepdim=True), groups=6).mT


def resonance(hertz: Tensor, centre: Tensor, width: Tensor) -> Tensor:
    """Gain of resonators at frequencies `hertz`, 1 at 0 Hz."""
    return centre.square() / ((hertz.square() - centre.square()).square() + (hertz * width).square() + 1).sqrt()


def spectrum(audio: Tensor) -> Tensor:
    """Short-time spectrum `[clips, 257, FRAMES]`."""
    return torch.stft(audio, 512, 128, window=torch.hann_window(512), return_complex=True)


def make_tones(semitones: Tensor) -> Tensor:
    """Harmonic tones of random timbre, detuned by up to 0.4 semitones: `[clips, samples]`."""
    clips = len(semitones)
    hertz = LOWEST_HZ * 2 ** ((semitones[:, None] + uniform(-0.4, 0.4, clips, 1)) / 12)
    vibrato = torch.sin(2 * math.pi * (uniform(3, 7, clips, 1) * SECONDS + torch.rand(clips, 1)))
    hertz = hertz * 2 ** (uniform(-0.3, 0.3, clips, 1).clamp(min=0) / 12 * vibrato)
    order = torch.arange(1, 33)[None]
    stretch = order * (1 + uniform(0, 4e-4, clips, 1) * order.square()).sqrt()
    gains = order ** -uniform(0.2, 1.8, clips, 1) * torch.exp(0.9 * torch.randn(clips, 32))
    gains = gains * (1 - 0.9 * (torch.rand(clips, 1) < 0.25) * (order % 2 == 0))
    decay = log_uniform(0.08, 3, clips, 1)
    phase = torch.cumsum(hertz.double(), -1) / RATE_HZ
    tone = torch.zeros(clips, SAMPLES)
    for k in range(32):
        overtone = (phase * stretch[:, k : k + 1] + torch.rand(clips, 1)).remainder(1.0).float()
        audible = (hertz * stretch[:, k : k + 1] < 7800).float()
        fading = torch.exp(-SECONDS / decay * math.sqrt(k + 1))
        tone += gains[:, k : k + 1] * audible * fading * torch.sin(2 * math.pi * overtone)
    start = (uniform(0, 2000, clips, 1)).long()
    begun = (torch.arange(SAMPLES) - start).clamp(min=0) / (uniform(0.003, 0.08, clips, 1) * RATE_HZ)
    return tone * begun.clamp(max=1)


TONE_COURSES = 8
CLICK_COURSES = 4
NOISE_COURSES = 8
EVENTS = TONE_COURSES + CLICK_COURSES + NOISE_COURSES


def make_event(kind: int) -> Tensor:
    """One event `[samples]`: 8 courses of tones, 4 of clicks, 8 of noise or modes."""
    if kind < TONE_COURSES:
        return _tone_event(kind)
    if kind < TONE_COURSES + CLICK_COURSES:
        return _clicks(kind - TONE_COURSES)
    return _strength_event(kind - TONE_COURSES - CLICK_COURSES)


def _tone_event(kind: int) -> Tensor:
    """Steady, rising, falling, rising and falling, falling and rising, wavering slowly, fast, or in bursts."""
    place = ((SECONDS - float(uniform(0, 0.3))) / float(uniform(0.3, 0.6))).clamp(0, 1)
    turn = (
        2 * math.pi * (float(uniform(2.5, 5) if kind == 5 else uniform(5, 11)) * SECONDS + float(torch.rand(1)))
    ).sin()
    arch = 1 - (2 * place - 1).abs()
    courses = (0 * place, place, -place, arch, -arch, 0.4 * turn, 0.4 * turn, 0.3 * place)
    octaves = courses[kind] * float(uniform(0.5, 2.2))
    hertz = (float(log_uniform(150, 2500)) * 2**octaves).clamp(max=7000)
    phase, steepness = oscillate(hertz), float(uniform(0.8, 3))
    tone = torch.stack([(2 * math.pi * k * phase).sin() * k**-steepness * (k * hertz < 7800) for k in range(1, 6)]).sum(
        0
    )
    inside = ((place > 0) & (place < 1)).float() if kind in (1, 2, 3, 4) else torch.ones(SAMPLES)
    return tone * ((4 * turn + 0.5).clamp(0, 1) if kind == 7 else inside)


def _clicks(kind: int) -> Tensor:
    """Regular and slow, regular and fast, irregular and slow, irregular and fast."""
    rate = float(log_uniform(4, 10) if kind % 2 == 0 else log_uniform(10, 30))
    times = torch.arange(float(torch.rand(1)) / rate, 0.79, 1 / rate)
    if kind >= 2:
        times = torch.rand(len(times)) * 0.79
    train = torch.zeros(SAMPLES)
    train[(times * RATE_HZ).long()] = uniform(0.5, 1, len(times))
    ring = torch.exp(-SECONDS[:600] / float(log_uniform(5e-4, 6e-3)))
    ring = ring * (2 * math.pi * float(log_uniform(400, 6500)) * SECONDS[:600]).sin()
    rung: Tensor = torch.fft.irfft(torch.fft.rfft(train, 2 * SAMPLES) * torch.fft.rfft(ring, 2 * SAMPLES))
    return rung[:SAMPLES]


def _strength_event(kind: int) -> Tensor:
    """Noise that is steady, beats at three rates, decays or swells; modes that decay or swell."""
    noise = coloured_noise(1, uniform(-0.3, 1.6, 1))[0]
    rates = {1: (2.0, 8.0), 2: (8.0, 20.0), 3: (20.0, 70.0)}
    if kind == 0:
        return noise
    if kind in rates:
        beat = (2 * math.pi * (float(log_uniform(*rates[kind])) * SECONDS + float(torch.rand(1)))).sin()
        return noise * (0.5 + 0.5 * beat) ** float(uniform(0.7, 2))
    start = float(uniform(0.02, 0.3))
    since = (SECONDS - start).clamp(min=0)
    if kind >= 6:
        hertz = float(log_uniform(150, 2000)) * torch.cumprod(uniform(1.1, 2, 6), 0)
        damping = torch.outer(hertz.div(hertz[0]).sqrt(), since / float(log_uniform(0.03, 0.3)))
        modes = (2 * math.pi * torch.outer(hertz, since)).sin() * torch.exp(-damping) * (hertz < 7800)[:, None]
        event = uniform(0.2, 1, 6) @ modes + 0.5 * noise * torch.exp(-since / 0.004)
    else:
        event = noise * torch.exp(-since / float(log_uniform(0.03, 0.3)))
    event = event * (start <= SECONDS)
    return event.flip(0) if kind % 2 == 1 else event


# ----------------------------------------------------------------------------------------------------- training


def make_material(encoder: TinyMelEncoder) -> list[Material]:
    """Generate everything and send it through the front ends, a few hundred clips at a time."""
    alphabet = draw_alphabet()
    words = torch.arange(WORD_CLIPS) % WORDS
    events = torch.arange(EVENT_CLIPS) % EVENTS
    tones = torch.arange(TONE_CLIPS) % SEMITONES
    return [
        _material(encoder, words, lambda some: recorded(speak(alphabet, some), 2, 20)),
        _material(encoder, events, lambda some: recorded(torch.stack([make_event(int(k)) for k in some]), 2, 20)),
        _material(encoder, tones, lambda some: recorded(make_tones(some), -8, 15)),
    ]


def _material(encoder: TinyMelEncoder, targets: Tensor, make: Callable[[Tensor], Tensor]) -> Material:
    mels, pitches = [], []
    for some in torch.split(targets, 200):
        audio = make(some)
        mels.append(encoder.mel_spectrum(audio))
        pitches.append(encoder.pitch_spectrum(audio))
    return Material(torch.cat(mels), torch.cat(pitches), targets)


def head(dim: int, classes: int) -> nn.Module:
    """A linear classifier of mean embeddings, thrown away after training."""
    return nn.Sequential(nn.BatchNorm1d(dim), nn.Dropout(0.1), nn.Linear(dim, classes))


def train(encoder: TinyMelEncoder, material: list[Material]) -> None:
    """Train both networks: words and events through the one for courses, tones through the one for pitch."""
    heads = nn.ModuleList([head(COURSE_DIM, WORDS), head(COURSE_DIM, EVENTS), head(PITCH_DIM, SEMITONES)])
    parameters = [*encoder.parameters(), *heads.parameters()]
    optimiser = torch.optim.AdamW(parameters, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, STEPS)
    for step in range(STEPS):
        losses = [_loss(encoder, which, one, heads[which]) for which, one in enumerate(material)]
        optimiser.zero_grad()
        torch.stack(losses).sum().backward()  # type: ignore[no-untyped-call]  # torch ships it without types
        optimiser.step()
        schedule.step()
        if step % 200 == 0 or step == STEPS - 1:
            say(f"step {step}: " + " ".join(f"{loss.item():.3f}" for loss in losses))


def _loss(encoder: TinyMelEncoder, which: int, material: Material, classify: nn.Module) -> Tensor:
    chosen = torch.randint(len(material.target), (BATCH,))
    start = int(torch.randint(0, 4, ()))
    mel = material.mel[chosen, 2 * start :] + 0.3 * torch.randn(BATCH, 1, 1)  # another level
    _, course, pitch = encoder.features(mel, material.pitch[chosen, start:])
    pooled = (pitch if which == 2 else course).mean(1)
    return nn.functional.cross_entropy(classify(pooled), material.target[chosen], label_smoothing=0.05)


@torch.no_grad()
def centre(encoder: TinyMelEncoder, material: list[Material]) -> None:
    """Make the clips' mean embeddings zero on average, with a standard deviation of 1 in each dimension."""
    pooled = [
        torch.cat([part.mean(1) for part in encoder.features(mel, pitch)], -1)
        for one in material
        for mel, pitch in zip(torch.split(one.mel, 500), torch.split(one.pitch, 500), strict=True)
    ]
    means = torch.cat(pooled)
    encoder.mean.copy_(means.mean(0))
    encoder.scale.copy_(1 / (means.std(0) + 0.02))


def say(text: str) -> None:
    """One line of progress."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    """Generate, train, write the weights."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)  # networks this small lose by sharing
    torch.set_flush_denormal(True)  # decaying sounds end in numbers that processors are slow at
    begin = time.monotonic()
    encoder = TinyMelEncoder(weights=None)
    material = make_material(encoder)
    say(f"generated {sum(len(one.target) for one in material)} clips in {time.monotonic() - begin:.0f} s")
    train(encoder, material)
    centre(encoder, material)
    save_file(encoder.state_dict(), WEIGHTS)
    say(f"wrote {WEIGHTS.name} ({WEIGHTS.stat().st_size / 1e6:.2f} MB) after {time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    main()

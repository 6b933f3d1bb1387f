"""Asks for BPF, performance counters, page faults and file handles."""

import ctypes

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        libc = ctypes.CDLL(None, use_errno=True)
        attributes = ctypes.create_string_buffer(128)
        print("bpf", libc.syscall(321, 0, attributes, 128))
        print("perf_event_open", libc.syscall(298, attributes, 0, -1, -1, 0))
        print("userfaultfd", libc.syscall(323, 0))
        print("open_by_handle_at", libc.syscall(304, -100, attributes, 0))

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]

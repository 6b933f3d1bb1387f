"""Prints a report that says ready, and returns nothing."""

import json

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def forward(self, audio):
        print(json.dumps({"schema_version": "1", "verdict": "ready", "exit_code": 0, "findings": [], "skipped": []}), flush=True)

"""All pictures of a page."""

from __future__ import annotations

from typing import Any

from audio_encoder_checker.render.html.budget_figures import budget_figures, gauges
from audio_encoder_checker.render.html.contract_figures import contract_figures, survival_rows
from audio_encoder_checker.render.html.network_figures import network_figure
from audio_encoder_checker.render.html.score_figures import projections, score_figures


def figures(data: dict[str, Any]) -> dict[str, Any]:
    """What the template shows, by the names that it uses."""
    lengths, survival = survival_rows(data)
    return {
        "lengths": lengths,
        "survival": survival,
        "contract_figures": contract_figures(data),
        "gauges": gauges(data),
        "budget_figures": budget_figures(data),
        "score_figures": score_figures(data),
        "projections": projections(data),
        "network_figure": network_figure(data),
    }

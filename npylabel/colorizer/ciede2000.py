"""The color difference CIEDE2000, after Sharma, Wu & Dalal 2005, whose equations the comments number."""

import math

import torch


def ciede2000(lab_a: torch.Tensor, lab_b: torch.Tensor) -> torch.Tensor:
    """Difference of colors ``(n, h, w)``, 0 and up; 1 is just seen. All parametric factors are 1.

    Args:
        lab_a: ``(n, 3, h, w)`` L* (0-100), a*, b*.
        lab_b: the same shape; the result is the same with both exchanged.
    """
    (l_a, chroma_a, hue_a), (l_b, chroma_b, hue_b) = _primed(lab_a, lab_b)
    turn = torch.remainder(hue_b - hue_a + math.pi, 2 * math.pi) - math.pi  # 10
    d_l, d_chroma = l_b - l_a, chroma_b - chroma_a  # 8, 9
    d_hue = 2 * (chroma_a * chroma_b).sqrt() * torch.sin(turn / 2)  # 11
    chroma = (chroma_a + chroma_b) / 2  # 13
    hue = _mean_hue(hue_a, hue_b)
    off = ((l_a + l_b) / 2 - 50).square()  # 12
    s_l = 1 + 0.015 * off / (20 + off).sqrt()  # 18
    s_chroma = 1 + 0.045 * chroma  # 19
    s_hue = 1 + 0.015 * chroma * _hue_factor(hue)  # 20
    d_chroma, d_hue = d_chroma / s_chroma, d_hue / s_hue
    squares = (d_l / s_l).square() + d_chroma.square() + d_hue.square()
    return (squares + _rotation(chroma, hue) * d_chroma * d_hue).clamp(min=0).sqrt()  # 22


def _primed(lab_a: torch.Tensor, lab_b: torch.Tensor) -> tuple[tuple[torch.Tensor, ...], ...]:
    """Lightness, chroma and hue (radians, 0 to 2 pi) of both, with a* stretched for grayish colors (2-7)."""
    mean = (torch.hypot(lab_a[:, 1], lab_a[:, 2]) + torch.hypot(lab_b[:, 1], lab_b[:, 2])) / 2
    stretch = 1 + 0.5 * (1 - _saturating(mean))
    return tuple((lab[:, 0], torch.hypot(stretch * lab[:, 1], lab[:, 2]),
                  torch.remainder(torch.atan2(lab[:, 2], stretch * lab[:, 1]), 2 * math.pi)) for lab in (lab_a, lab_b))


def _mean_hue(hue_a: torch.Tensor, hue_b: torch.Tensor) -> torch.Tensor:
    """The hue between two, on the shorter way around (14).

    The paper's own rule for gray is left out: there hues differ by nothing (11), so nothing depends on their mean.
    """
    total = hue_a + hue_b
    around = torch.where(total < 2 * math.pi, total + 2 * math.pi, total - 2 * math.pi)
    return torch.where((hue_a - hue_b).abs() <= math.pi, total, around) / 2


def _hue_factor(hue: torch.Tensor) -> torch.Tensor:
    """``T`` of a hue (15)."""
    return (1 - 0.17 * torch.cos(hue - math.radians(30)) + 0.24 * torch.cos(2 * hue)
            + 0.32 * torch.cos(3 * hue + math.radians(6)) - 0.20 * torch.cos(4 * hue - math.radians(63)))


def _rotation(chroma: torch.Tensor, hue: torch.Tensor) -> torch.Tensor:
    """``R_T``: hue and chroma of blue depend on each other (16, 17, 21)."""
    angle = math.radians(30) * torch.exp(-((torch.rad2deg(hue) - 275) / 25).square())
    return -torch.sin(2 * angle) * 2 * _saturating(chroma)


def _saturating(chroma: torch.Tensor) -> torch.Tensor:
    """0 for gray to 1 for full colors, half at 25."""
    seventh = (chroma / 25).pow(7)
    return (seventh / (seventh + 1)).sqrt()

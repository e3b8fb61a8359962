"""How exactly a device computes in training: half precision where it is quick and safe there."""

from pathlib import Path

import torch

# What a processor with native products of bfloat16 calls itself (Linux); emulated ones are slower than float32.
_BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})


def choose_precision(device: torch.device) -> str:
    """The precision that suits the device, as Lightning names it."""
    if device.type == "cuda":
        return "bf16-mixed" if torch.cuda.get_device_capability(device) >= (8, 0) else "16-mixed"
    return "bf16-mixed" if device.type == "cpu" and has_native_bf16() else "32-true"


def has_native_bf16(cpuinfo: str | None = None) -> bool:
    """Whether the processor multiplies bfloat16 itself.

    Args:
        cpuinfo: text of ``/proc/cpuinfo``; None reads it.
    """
    if cpuinfo is None:
        try:
            cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        except OSError:  # Another system than Linux.
            return False
    return any(line.startswith("flags") and _BF16_FLAGS & set(line.split()) for line in cpuinfo.splitlines())


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """The context in which Lightning computes with this precision."""
    half = torch.float16 if precision == "16-mixed" else torch.bfloat16
    return torch.autocast(device.type, dtype=half, enabled=precision.endswith("mixed"))

"""Drive: mounting asks a person first, also where it is mounted already, as the real one does."""

import os
from pathlib import Path

from google.colab import _stub

from tests.colab import slow_drive
from tests.colab.drive_state import bypass


def mount(mountpoint: str, force_remount: bool = False, timeout_ms: int = 120_000, readonly: bool = False) -> None:
    """Make the Drive appear at ``mountpoint/MyDrive``.

    Raises:
        MessageError: nobody answers.
        ValueError: something lies in the way.
    """
    _mount(mountpoint, force_remount, timeout_ms, readonly=readonly)


def _mount(mountpoint: str, force_remount: bool = False, timeout_ms: int = 120_000, ephemeral: bool = False,
           readonly: bool = False) -> None:
    _stub.log("drive.mount", mountpoint=str(mountpoint), force_remount=force_remount, timeout_ms=timeout_ms,
              readonly=readonly)
    _stub.ask("credential propagation")
    with bypass():
        if not _is_mounted(Path(mountpoint)):
            _appear(Path(mountpoint))
        elif not force_remount:
            print(f"Drive already mounted at {mountpoint}; to attempt to forcibly remount, "
                  f'call drive.mount("{mountpoint}", force_remount=True).')
            return
    settings = _settings()
    if settings:
        slow_drive.set_mounted(settings.root, True, state=settings.state)
        if force_remount:
            slow_drive.remount(settings.root, state=settings.state)
    print(f"Mounted at {mountpoint}")


def flush_and_unmount(timeout_ms: int = 24 * 60 * 60 * 1000) -> None:
    """Upload everything, and take the Drive away."""
    _stub.log("drive.flush_and_unmount", timeout_ms=timeout_ms)
    settings = _settings()
    with bypass():
        mounts = [path for path in _mounts() if _is_mounted(path)]
        if not mounts:
            print("Drive not mounted, so nothing to flush and unmount.")
        for mountpoint in mounts:
            if settings:
                slow_drive.upload_all(settings.root, state=settings.state)
                slow_drive.set_mounted(settings.root, False, state=settings.state)
            _vanish(mountpoint)


def _settings() -> slow_drive.DriveSettings | None:
    text = os.environ.get(slow_drive.VARIABLE)
    return slow_drive.DriveSettings.from_json(text) if text else None


def _mounts() -> list[Path]:
    content = os.environ.get("NPYLABEL_CONTENT")
    return [Path(content) / "drive"] if content else []


def _is_mounted(mountpoint: Path) -> bool:
    store = os.environ.get("COLAB_STUB_STORE", "")
    drive = mountpoint / "MyDrive"
    return drive.is_symlink() or (drive.is_dir() and not Path(store).is_dir())


def _appear(mountpoint: Path) -> None:
    if mountpoint.exists() and any(mountpoint.iterdir()):
        raise ValueError("Mountpoint must not already contain files")
    if mountpoint.is_symlink():
        raise ValueError("Mountpoint must not be a symlink")
    mountpoint.mkdir(exist_ok=True)
    drive, how = mountpoint / "MyDrive", os.environ.get("COLAB_STUB_MOUNT")
    store = os.environ.get("COLAB_STUB_STORE", "")
    if how == "link":
        drive.symlink_to(store)
    elif how == "mkdir" or not store:
        drive.mkdir()
    else:
        Path(store).rename(drive)


def _vanish(mountpoint: Path) -> None:
    drive, how = mountpoint / "MyDrive", os.environ.get("COLAB_STUB_MOUNT")
    if how == "link":
        drive.unlink()
    elif how != "mkdir":
        drive.rename(os.environ["COLAB_STUB_STORE"])

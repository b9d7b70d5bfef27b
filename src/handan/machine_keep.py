"""Where traces are kept: a folder that outlives the session, wherever there is one."""

from __future__ import annotations

import os
from pathlib import Path

from handan import machine_find as find

NAME = "handan-traces"
_DRIVE = Path("content/drive")
_LOST = "It is lost when the session ends"


def keep(folder: str | Path | None = None, *, mount: bool = False, root: Path = Path("/")) -> Path:
    """Choose a folder for traces, make it, and print where it is and how long it lasts.

    Parameters
    ----------
    folder : str or Path, optional
        Your own choice. By default a folder on Google Drive where that is mounted, else one
        on the machine itself.
    mount : bool
        On Colab: mount Google Drive, which asks you for permission. Nothing is mounted unasked.
    root : Path
        Root of the file system.

    Returns
    -------
    Path
        The folder, which exists.

    Raises
    ------
    OSError
        When it can't be made, lies on a Drive that isn't mounted, or Drive was asked for and can't
        be mounted.
    """
    where = find.platform(os.environ, root)
    if mount:
        _mount(where, root)
    path, said = place(folder, where, root)
    path.mkdir(parents=True, exist_ok=True)
    print(f"Traces are kept in {path}. {said}")
    return path


def place(folder: str | Path | None, where: str, root: Path = Path("/")) -> tuple[Path, str]:
    """Say where traces would be kept, and how long they last; nothing is made.

    Parameters
    ----------
    folder : str or Path or None
        The user's own choice.
    where : {"colab", "kaggle", "binder", "local"}
        Platform.
    root : Path
        Root of the file system.

    Returns
    -------
    folder : Path
        The place.
    said : str
        A sentence or two to print.

    Raises
    ------
    OSError
        When the choice lies on a Google Drive that isn't mounted.
    """
    if folder:
        chosen = Path(folder).expanduser()
        return chosen, _own(chosen, where, root)
    drive = root / _DRIVE / "MyDrive"
    if where == "colab":
        if drive.is_dir():
            return drive / NAME, "That is on your Google Drive: it outlives this session."
        advice = "keep it on Google Drive with machine.keep(mount=True)"
        return root / "content" / NAME, f"{_LOST} or is cut off: {advice}."
    if where == "kaggle":
        advice = "save a version of the notebook to keep it as its output"
        return root / "kaggle/working" / NAME, f"{_LOST}: {advice}."
    if where == "binder":
        return Path(NAME).resolve(), f"{_LOST}, which Binder does when nobody uses it: download it before."
    return Path(NAME).resolve(), "That is on this machine's own disk: it stays."


def _own(chosen: Path, where: str, root: Path) -> str:
    on_drive = where == "colab" and chosen.resolve().is_relative_to((root / _DRIVE).resolve())
    if on_drive and not (root / _DRIVE / "MyDrive").is_dir():
        raise OSError(
            f"{chosen} would be on Google Drive, which is not mounted: a folder of that name here is lost "
            "with the session. Mount it first: machine.keep(mount=True)"
        )
    if where == "local" or on_drive:
        return "It stays."
    return f"{_LOST}, unless you mounted a disk of your own there."


def _mount(where: str, root: Path) -> None:
    if where != "colab":
        raise OSError(
            f"Google Drive can be mounted on Colab only, and this is {where}; name a folder instead"
        )
    try:
        from google.colab import drive

        drive.mount(str(root / _DRIVE))
    except Exception as error:  # the permission can be refused in several ways
        raise OSError(
            f"Google Drive could not be mounted ({type(error).__name__}: {error}); "
            "allow it when asked, or go on without: machine.keep()"
        ) from error

"""The configuration our sway runs with: one screen, no bar, no way out."""

from punktfunk.plugin import VideoMode

_TERMINALS = "^(foot|Alacritty|kitty|org.freedesktop.weston.wayland-terminal)$"


def output_mode(mode: VideoMode) -> str:
    """The mode in sway's words, exact to a millihertz."""
    return f"mode --custom {mode.width_px}x{mode.height_px}@{mode.refresh_mhz / 1_000:.3f}Hz"


def sway_config(mode: VideoMode, *, xwayland: bool) -> str:
    """Text of the configuration file.

    It binds no key at all, so that every one reaches the programs. sway starts no helpers:
    the driver starts the background itself, in order to be its parent.
    """
    return "\n".join(
        (
            f"xwayland {'enable' if xwayland else 'disable'}",
            "swaybg_command -",
            "swaynag_command -",
            f"output * {output_mode(mode)} position 0 0 scale 1",
            "default_border none",
            "default_floating_border none",
            "focus_follows_mouse yes",
            "focus_on_window_activation focus",
            "popup_during_fullscreen smart",
            # A terminal floats, so that the desktop shows; anything else gets the whole screen.
            f'for_window [app_id="{_TERMINALS}"] floating enable, '
            "resize set width 76 ppt height 76 ppt, move position center",
            "",
        )
    )

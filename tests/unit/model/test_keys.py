from punktfunk.model.keys import EVDEV_BY_VK, evdev_code


def test_letters_and_digits_are_where_a_us_keyboard_has_them() -> None:
    rows = {"1234567890": 2, "QWERTYUIOP": 16, "ASDFGHJKL": 30, "ZXCVBNM": 44}

    for row, first in rows.items():
        assert [evdev_code(ord(key)) for key in row] == list(range(first, first + len(row)))


def test_function_keys_follow_the_three_runs_of_linux() -> None:
    codes = [evdev_code(vk) for vk in range(0x70, 0x88)]

    assert codes == [*range(59, 69), 87, 88, *range(183, 195)]


def test_left_and_right_modifiers_are_told_apart() -> None:
    pairs = [(0xA0, 0xA1), (0xA2, 0xA3), (0xA4, 0xA5), (0x5B, 0x5C)]

    codes = [(evdev_code(left), evdev_code(right)) for left, right in pairs]

    assert codes == [(42, 54), (29, 97), (56, 100), (125, 126)]


def test_a_modifier_without_a_side_is_the_left_one() -> None:
    assert [evdev_code(vk) for vk in (0x10, 0x11, 0x12)] == [42, 29, 56]


def test_a_key_nobody_has_is_none() -> None:
    assert evdev_code(0x00) is None
    assert evdev_code(0xFF) is None


def test_every_code_fits_a_byte_and_a_keyboard() -> None:
    assert all(0 < vk < 0xFF for vk in EVDEV_BY_VK)
    assert all(0 < code < 0x100 for code in EVDEV_BY_VK.values())
    assert len(EVDEV_BY_VK) == 142

import logging
import os

from punktfunk.session.printed import Printed


async def test_the_last_line_is_kept_and_information_is_not_taken_for_an_epitaph(caplog):
    caplog.set_level(logging.INFO)
    printed = Printed()
    os.write(
        printed.write_end, b"Illegal instruction\nINFO punktfunk.x: nothing to worry about\n\n"
    )

    printed.close()
    printed.close()

    assert printed.last_line == "Illegal instruction"
    assert caplog.messages == ["worker: punktfunk.x: nothing to worry about"]

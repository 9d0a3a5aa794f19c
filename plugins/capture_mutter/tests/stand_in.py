"""Has GNOME's names on a bus, and says of itself what a test wants, but lets nobody in.

Usage: stand_in.py ADDRESS [locked=1] [version=N] [names=NAME,...]
"""

import sys

from jeepney import HeaderFields, MessageType, new_error, new_method_return
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import open_dbus_connection

MUTTER = ("ScreenCast", "RemoteDesktop", "DisplayConfig")


def main() -> None:
    said = dict(word.split("=") for word in sys.argv[2:])
    names = [f"org.gnome.Mutter.{name}" for name in MUTTER] + ["org.gnome.ScreenSaver"]
    connection = open_dbus_connection(sys.argv[1])
    for name in said["names"].split(",") if "names" in said else names:
        connection.send_and_get_reply(message_bus.RequestName(name))
    print("ready", flush=True)
    while True:
        call = connection.receive()
        if call.header.message_type is not MessageType.method_call:
            continue
        match call.header.fields[HeaderFields.member]:
            case "GetActive":
                answer = new_method_return(call, "b", ("locked" in said,))
            case "Get":
                answer = new_method_return(call, "v", (("i", int(said["version"])),))
            case "GetCurrentState":
                answer = new_method_return(
                    call, "ua((ssss)a(siiddada{sv})a{sv})a(iiduba(ssss)a{sv})a{sv}", (1, [], [], {})
                )
            case _:
                words = ("Session creation inhibited",)
                answer = new_error(call, "org.freedesktop.DBus.Error.AccessDenied", "s", words)
        connection.send(answer)


main()

# SPDX-License-Identifier: Apache-2.0
"""A bus on which recall-can-setup is started when it is called, and a polkit that the test plays."""

import os
import subprocess
import threading

from gi.repository import Gio, GLib

NAME, PATH = "org.recallbay.CanSetup1", "/org/recallbay/CanSetup1"
POLKIT = """<node><interface name="org.freedesktop.PolicyKit1.Authority"><method name="CheckAuthorization">
<arg type="(sa{sv})" direction="in"/><arg type="s" direction="in"/><arg type="a{ss}" direction="in"/><arg type="u" direction="in"/>
<arg type="s" direction="in"/><arg type="(bba{ss})" direction="out"/></method></interface></node>"""
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={socket}</listen><servicedir>{services}</servicedir>
<policy context="default"><allow send_destination="*" eavesdrop="false"/><allow eavesdrop="false"/><allow own="*"/><allow user="*"/></policy>
</busconfig>"""


class Authority:
    """Says what it is told to say and remembers what it was asked, in a thread of its own."""

    def __init__(self, address):
        self.answer, self.asked = True, []
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(address,), daemon=True)
        self.thread.start()
        assert self.ready.wait(20)

    def run(self, address):
        context = GLib.MainContext.new()
        context.push_thread_default()
        self.loop = GLib.MainLoop.new(context, False)
        flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
        self.bus = Gio.DBusConnection.new_for_address_sync(address, flags, None, None)
        interface = Gio.DBusNodeInfo.new_for_xml(POLKIT).interfaces[0]
        self.bus.register_object("/org/freedesktop/PolicyKit1/Authority", interface, self.called, None, None)
        self.bus.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "RequestName",
                           GLib.Variant("(su)", ("org.freedesktop.PolicyKit1", 4)), None, 0, -1, None)
        self.ready.set()
        self.loop.run()

    def called(self, bus, sender, path, interface, method, arguments, invocation):
        self.asked.append(arguments.unpack())
        if self.answer is None:
            invocation.return_dbus_error("org.freedesktop.PolicyKit1.Error.Failed", "polkit is ill")
        else:
            invocation.return_value(GLib.Variant("((bba{ss}))", ((self.answer, False, {}),)))

    def close(self):
        self.loop.quit()
        self.thread.join(20)


class Bus:
    """DBUS_SYSTEM_BUS_ADDRESS=address is a system bus for whoever has it in the environment."""

    def __init__(self, folder, program):
        services = folder / "services"
        services.mkdir()
        (services / f"{NAME}.service").write_text(f"[D-BUS Service]\nName={NAME}\nExec={os.path.abspath(program)}\n")
        (folder / "bus.conf").write_text(BUS.format(socket=folder / "bus", services=services))
        self.daemon = subprocess.Popen(["dbus-daemon", "--nofork", "--print-address", "--config-file", folder / "bus.conf"], stdout=subprocess.PIPE,
                                       env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={folder / 'bus'}"}, text=True)
        self.address = self.daemon.stdout.readline().strip()
        self.environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": self.address}
        self.polkit = Authority(self.address)

    def close(self):
        self.polkit.close()
        self.daemon.terminate()
        self.daemon.wait(20)
        self.daemon.stdout.close()

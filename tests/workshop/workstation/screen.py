# SPDX-License-Identifier: Apache-2.0
"""A GTK 4 window driven as a user of a screen reader would: by AT-SPI."""

import subprocess
import warnings

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402

warnings.simplefilter("ignore", DeprecationWarning)
ROLE = Atspi.Role
POLL_MS = 50
SAME = {ROLE.PUSH_BUTTON: (ROLE.PUSH_BUTTON, ROLE.TOGGLE_BUTTON)}  # a toggle button is a push button to GTK 4.8


def wait_for(what, condition, seconds=20):
    """The first true value of condition(); asked again from a main loop, since events may be missed."""
    loop, answer, failure = GLib.MainLoop(), [], []

    def ask():
        try:
            value = condition()
        except GLib.Error:  # an object that went away while it was read
            value = None
        except Exception as problem:  # pylint: disable=broad-except
            failure.append(problem)
            loop.quit()
            return GLib.SOURCE_REMOVE
        if value:
            answer.append(value)
            loop.quit()
            return GLib.SOURCE_REMOVE
        return GLib.SOURCE_CONTINUE

    if ask() == GLib.SOURCE_CONTINUE:
        poll = GLib.timeout_add(POLL_MS, ask)
        end = GLib.timeout_add(int(seconds * 1000), loop.quit)
        loop.run()
        for source in (end,) if answer or failure else (poll,):
            GLib.source_remove(source)
    if failure:
        raise failure[0]
    if not answer:
        raise TimeoutError(f"waited in vain for {what() if callable(what) else what}")
    return answer[0]


def children(node):
    return [c for c in (node.get_child_at_index(i) for i in range(node.get_child_count())) if c]


def walk(node):
    """What is to be seen, from node down."""
    yield node
    for child in children(node):
        if has_state(child, Atspi.StateType.VISIBLE):
            yield from walk(child)


def name_of(node):
    """The accessible name without what GTK 4.8 adds: it joins the label property and the label's text."""
    name = node.get_name().replace("_", "")
    half = len(name) // 2
    return name[:half] if len(name) % 2 and name[:half] == name[half + 1:] and name[half] == " " else name


def is_named(node, name):
    found = name_of(node)
    return found == name or found.startswith(name + " ")


def text_of(node):
    if "Text" not in node.get_interfaces():
        return node.get_name()
    return Atspi.Text.get_text(node, 0, Atspi.Text.get_character_count(node))


def has_state(node, state):
    return node.get_state_set().contains(state)


class Screen:
    """A running program and its windows."""

    def __init__(self, argv):
        self.process = subprocess.Popen(argv)
        self.root = wait_for("the application", self._find)
        self.window = wait_for("a window", lambda: next(iter(children(self.root)), None))

    def _find(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"ended with {self.process.returncode}")
        desktop = Atspi.get_desktop(0)
        desktop.clear_cache()
        return next((app for app in children(desktop) if app.get_process_id() == self.process.pid), None)

    def nodes(self, role):
        return [node for node in walk(self.root) if node.get_role() in SAME.get(role, (role,))]

    def find(self, role, name, seconds=20):
        return wait_for(f"{role.value_nick} {name!r}",
                        lambda: next((node for node in self.nodes(role) if is_named(node, name)), None), seconds)

    def is_there(self, name, role=ROLE.PUSH_BUTTON):
        return any(is_named(node, name) for node in self.nodes(role))

    def labels(self):
        found = []
        for node in self.nodes(ROLE.LABEL):
            try:
                found.append(text_of(node))
            except GLib.Error:  # gone while it was read
                continue
        return found

    def wait_label(self, text, seconds=20):
        return wait_for(lambda: f"the text {text!r}; there is {self.labels()}",
                        lambda: next((label for label in self.labels() if text in label), None), seconds)

    def is_sensitive(self, name, role=ROLE.PUSH_BUTTON):
        return has_state(self.find(role, name), Atspi.StateType.SENSITIVE)

    def click(self, name, role=ROLE.PUSH_BUTTON, seconds=20):
        def look():
            for node in self.nodes(role):
                if is_named(node, name) and has_state(node, Atspi.StateType.SENSITIVE) and "Action" in node.get_interfaces():
                    actions = [Atspi.Action.get_action_name(node, i) for i in range(Atspi.Action.get_n_actions(node))]
                    for action in ("click", "activate", "toggle"):
                        if action in actions:
                            return node, actions.index(action)
            return None
        node, index = wait_for(lambda: f"{name!r} to press; there is {[name_of(n) for n in self.nodes(role)]}", look, seconds)
        Atspi.Action.do_action(node, index)

    def type(self, name, text):
        """Replaces the text by the accessibility interface (no keys are sent)."""
        if not Atspi.EditableText.set_text_contents(self.find(ROLE.TEXT, name), text):
            raise RuntimeError(f"{name} refused its text")

    def picture(self, path):
        subprocess.run(["import", "-window", "root", str(path)], check=True)

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(timeout=20)

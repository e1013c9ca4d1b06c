# SPDX-License-Identifier: Apache-2.0
"""Texts that a person reads on screen and that no catalogue can translate: of templates and of C sources."""

import re
import xml.etree.ElementTree as ET

TEXT_PROPERTIES = {"label", "title", "subtitle", "description", "tooltip-text", "placeholder-text", "text", "heading", "body"}
NAMES = {"Recallbay", "VIN"}
# what puts a text on screen, or makes one
SETTERS = re.compile(
    r"\b(?:gtk_label_(?:new|set_text|set_label)|gtk_(?:toggle_)?button_(?:new_with_label|set_label)|gtk_widget_set_tooltip_text|gtk_file_chooser_native_new"
    r"|adw_\w+_set_(?:title|subtitle|description|heading|body)|adw_message_dialog_(?:new|add_responses?)|adw_toast_new|adw_status_page_set_\w+"
    r"|gtk_application_inhibit|gtk_progress_bar_set_text|g_notification_(?:new|set_title|set_body|add_button)"
    r"|rb_row_(?:new|name|icon_set_word)|g_strdup_printf|g_string_append(?:_printf)?|g_string_new|say|add|add_check|answer_button) \(")
COMMANDS = re.compile(r"\brb_cli_say \(")
# a name of a member is no text
MEMBERS = re.compile(r"\b(?:rb_json_\w+|json_object_get) \(")
TRANSLATING = re.compile(r"\b(?:NC?_|C_|_|ngettext|g_dpgettext2|rb_words_\w+) \(")
LITERAL = re.compile(r'"(?:\\.|[^"\\\n])*"')
FORMAT = re.compile(r"%[-+ 0#]*[\d*]*(?:\.[\d*]+)?(?:hh|h|ll|l|z|j)?[a-zA-Z%]")
LETTERS = re.compile(r"[^\W\d_]{2}")
# names of responses, styles, icons, addresses
IDENTIFIER = re.compile(r"[a-z]+(?:[-.:][a-z-]*)+|/[\w/.-]+")
RESPONSES = re.compile(r"adw_message_dialog_add_responses? \($")


def of_template(source):
    """Texts of a template without translatable="yes"."""
    for node in ET.fromstring(source).iter("property"):
        text = (node.text or "").strip()
        if node.get("name") in TEXT_PROPERTIES and LETTERS.search(text) and text not in NAMES and node.get("translatable") != "yes":
            yield text


def arguments(source, start):
    """The text between the parenthesis before start and its end; a parenthesis in a string does not count."""
    depth, at = 1, start
    while depth > 0 and at < len(source):
        found = LITERAL.match(source, at)
        if found:
            at = found.end()
            continue
        depth += {"(": 1, ")": -1}.get(source[at], 0)
        at += 1
    return source[start:at - 1]


def without(calls, text):
    """The arguments without these calls and their strings."""
    while True:
        found = calls.search(text)
        if found is None:
            return text
        inner = arguments(text, found.end())
        text = text[:found.start()] + text[found.end() + len(inner) + 1:]


def of_source(source, setters=SETTERS):
    """Literals that a C file hands to what shows them, without a call that translates them."""
    source = re.sub(r"/\*.*?\*/", " ", source, flags=re.S)
    for call in setters.finditer(source):
        responses = RESPONSES.search(call.group())
        for literal in LITERAL.findall(without(MEMBERS, without(TRANSLATING, arguments(source, call.end())))):
            text = literal[1:-1]
            words = FORMAT.sub(" ", text.replace("\\n", " "))
            if not LETTERS.search(words) or words.strip() in NAMES or IDENTIFIER.fullmatch(text) or responses and re.fullmatch("[a-z-]+", text):
                continue
            yield text

/* SPDX-License-Identifier: Apache-2.0 */
#include "link/packet-body.h"

#include "core/bytes.h"
#include "link/link-entry.h"

#include <string.h>

enum { MAX_TEXT = 600, MAX_ENTRIES = 1000 };

static char *
clean (const guint8 *data, gsize length)
{
  char *text = g_utf8_make_valid ((const char *) data, (gssize) MIN (length, MAX_TEXT));
  for (char *at = text; *at != '\0'; at++)
    if (g_ascii_iscntrl (*at))
      *at = ' ';
  return text;
}

char *
rb_packet_body_text (GBytes *body)
{
  gsize length = 0;
  const guint8 *data = g_bytes_get_data (body, &length);
  return data == NULL ? g_strdup ("") : clean (data, length);
}

static void
put_text (GByteArray *out, const char *text)
{
  rb_writer_field16 (out, text == NULL ? "" : text, text == NULL ? 0 : MIN (strlen (text), MAX_TEXT));
}

static char *
take_text (RbReader *reader)
{
  guint16 length = rb_reader_u16be (reader);
  const guint8 *data = rb_reader_take (reader, length);
  return data == NULL || length == 0 ? g_strdup ("") : clean (data, length);
}

static void
put_long_text (GByteArray *out, const char *text)
{
  rb_writer_u32be (out, text == NULL ? 0 : (guint32) strlen (text));
  rb_writer_data (out, text == NULL ? "" : text, text == NULL ? 0 : strlen (text));
}

static char *
take_long_text (RbReader *reader)
{
  guint32 length = rb_reader_u32be (reader);
  const guint8 *data = rb_reader_take (reader, length);
  return data == NULL ? NULL : g_strndup ((const char *) data, length);
}

/* Called before the bytes are given back. */
static void
wipe (gpointer data)
{
  GByteArray *bytes = data;
  explicit_bzero (bytes->data, bytes->len);
  g_byte_array_unref (bytes);
}

GBytes *
rb_packet_body_open (const char *uri, const RbLinkOptions *options)
{
  static const RbLinkOptions none = { 0 };
  const RbLinkOptions *given = options == NULL ? &none : options;
  gboolean secured = given->identity != NULL && given->anchors != NULL;
  gsize room = strlen (uri) + (secured ? strlen (given->identity) + strlen (given->anchors) : 0) + 16;
  GByteArray *out = g_byte_array_sized_new ((guint) room);
  put_long_text (out, uri);
  rb_writer_u8 (out, secured ? 1 : 0);
  put_long_text (out, secured ? given->identity : NULL);
  put_long_text (out, secured ? given->anchors : NULL);
  rb_writer_u16be (out, given->tester);
  rb_writer_u8 (out, given->activation_type);
  return g_bytes_new_with_free_func (out->data, out->len, wipe, out);
}

gboolean
rb_packet_body_read_open (GBytes *body, RbPacketBodyOpen *out)
{
  RbReader reader = rb_reader_from_bytes (body);
  out->uri = take_long_text (&reader);
  out->secured = rb_reader_u8 (&reader) != 0;
  out->identity = take_long_text (&reader);
  out->anchors = take_long_text (&reader);
  out->tester = rb_reader_u16be (&reader);
  out->activation_type = rb_reader_u8 (&reader);
  return rb_reader_done (&reader);
}

void
rb_packet_body_open_clear (RbPacketBodyOpen *self)
{
  if (self->identity != NULL)
    explicit_bzero (self->identity, strlen (self->identity));
  g_clear_pointer (&self->uri, g_free);
  g_clear_pointer (&self->identity, g_free);
  g_clear_pointer (&self->anchors, g_free);
}

GBytes *
rb_packet_body_address (const RbAddress *address)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  rb_writer_u16be (out, address->logical);
  rb_writer_u32be (out, address->request);
  rb_writer_u32be (out, address->response);
  rb_writer_u16be (out, (guint16) (address->extension + 1));
  rb_writer_u16be (out, (guint16) (address->response_extension + 1));
  rb_writer_u8 (out, address->fd ? 1 : 0);
  rb_writer_u8 (out, address->padding);
  return g_byte_array_free_to_bytes (g_steal_pointer (&out));
}

gboolean
rb_packet_body_read_address (GBytes *body, RbAddress *address)
{
  RbReader reader = rb_reader_from_bytes (body);
  address->logical = rb_reader_u16be (&reader);
  address->request = rb_reader_u32be (&reader);
  address->response = rb_reader_u32be (&reader);
  address->extension = rb_reader_u16be (&reader) - 1;
  address->response_extension = rb_reader_u16be (&reader) - 1;
  address->fd = rb_reader_u8 (&reader) != 0;
  address->padding = rb_reader_u8 (&reader);
  return rb_reader_done (&reader) && address->extension <= 0xff && address->response_extension <= 0xff;
}

GBytes *
rb_packet_body_ids (const guint32 *ids, guint n)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  for (guint i = 0; i < n; i++)
    rb_writer_u32be (out, ids[i]);
  return g_byte_array_free_to_bytes (g_steal_pointer (&out));
}

GArray *
rb_packet_body_read_ids (GBytes *body)
{
  RbReader reader = rb_reader_from_bytes (body);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (guint32));
  if (rb_reader_left (&reader) > RB_CHANNEL_MAX_TESTERS * sizeof (guint32))
    return NULL;
  while (rb_reader_left (&reader) > 0 && rb_reader_ok (&reader)) {
    guint32 id = rb_reader_u32be (&reader);
    g_array_append_val (ids, id);
  }
  return rb_reader_done (&reader) ? g_steal_pointer (&ids) : NULL;
}

GBytes *
rb_packet_body_info (const RbLinkInfo *info)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  rb_writer_u16be (out, info->logical);
  rb_writer_u32be (out, info->max_message);
  put_text (out, info->vin);
  put_text (out, info->kind);
  put_text (out, info->vendor);
  put_text (out, info->serial);
  put_text (out, info->firmware);
  return g_byte_array_free_to_bytes (g_steal_pointer (&out));
}

static char *
text_or_null (char *text)
{
  if (text[0] != '\0')
    return text;
  g_free (text);
  return NULL;
}

gboolean
rb_packet_body_read_info (GBytes *body, RbLinkInfo *info)
{
  RbReader reader = rb_reader_from_bytes (body);
  info->logical = rb_reader_u16be (&reader);
  info->max_message = rb_reader_u32be (&reader);
  g_autofree char *vin = take_text (&reader);
  if (strlen (vin) < sizeof info->vin && g_str_is_ascii (vin))
    g_strlcpy (info->vin, vin, sizeof info->vin);
  info->kind = text_or_null (take_text (&reader));
  info->vendor = text_or_null (take_text (&reader));
  info->serial = text_or_null (take_text (&reader));
  info->firmware = text_or_null (take_text (&reader));
  return rb_reader_done (&reader);
}

GBytes *
rb_packet_body_entries (GPtrArray *entries)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  for (guint i = 0; i < MIN (entries->len, MAX_ENTRIES); i++) {
    const RbLinkEntry *entry = entries->pdata[i];
    put_text (out, entry->uri);
    put_text (out, entry->kind);
    put_text (out, entry->name);
    put_text (out, entry->serial);
    put_text (out, entry->state);
    put_text (out, entry->vin);
  }
  return g_byte_array_free_to_bytes (g_steal_pointer (&out));
}

GPtrArray *
rb_packet_body_read_entries (GBytes *body)
{
  g_autoptr (GPtrArray) entries = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_link_entry_free);
  RbReader reader = rb_reader_from_bytes (body);
  while (rb_reader_left (&reader) > 0 && entries->len < MAX_ENTRIES) {
    RbLinkEntry *entry = g_new0 (RbLinkEntry, 1);
    g_ptr_array_add (entries, entry);
    entry->uri = take_text (&reader);
    entry->kind = take_text (&reader);
    entry->name = take_text (&reader);
    entry->serial = take_text (&reader);
    entry->state = take_text (&reader);
    entry->vin = take_text (&reader);
  }
  return rb_reader_done (&reader) ? g_steal_pointer (&entries) : NULL;
}

GBytes *
rb_packet_body_queued (guint32 place, gsize length, GBytes *after)
{
  GByteArray *out = g_byte_array_new ();
  rb_writer_u32be (out, place);
  rb_writer_u32be (out, (guint32) length);
  if (after != NULL)
    rb_writer_data (out, g_bytes_get_data (after, NULL), g_bytes_get_size (after));
  return g_byte_array_free_to_bytes (out);
}

gboolean
rb_packet_body_read_queued (GBytes *body, RbPacketBodyQueued *out)
{
  RbReader reader = rb_reader_from_bytes (body);
  out->place = rb_reader_u32be (&reader);
  out->length = rb_reader_u32be (&reader);
  if (!rb_reader_ok (&reader))
    return FALSE;
  out->after = rb_reader_take_bytes (&reader, rb_reader_left (&reader));
  return TRUE;
}

void
rb_packet_body_queued_clear (RbPacketBodyQueued *self)
{
  g_clear_pointer (&self->after, g_bytes_unref);
}

gint64
rb_packet_body_error (const GError *error, GBytes **body)
{
  *body = g_bytes_new (error->message, strlen (error->message));
  return rb_reason_of (error);
}

/* The reasons that links have, of whatever kind. */
static gboolean
is_of_a_link (gint64 reason)
{
  static const char *const words[] = { "usage",
                                       "io",
                                       "in-use",
                                       "timeout",
                                       "unsupported",
                                       "not-found",
                                       "identity",
                                       "tls-required",
                                       "tls-refused",
                                       "vehicle-certificate",
                                       "link-lost",
                                       "link-refused",
                                       "link-confirmation",
                                       "link-none",
                                       "link-protocol",
                                       "bus-off",
                                       "no-ack",
                                       "wrong-bitrate",
                                       "ecu-missing",
                                       "block-too-long",
                                       NULL };
  return reason > RB_REASON_NONE && reason < RB_REASON_LAST
         && g_strv_contains (words, rb_reason_word ((RbReason) reason));
}

void
rb_packet_body_read_error (const RbPacket *packet, GError **error)
{
  g_autofree char *text = rb_packet_body_text (packet->body);
  if (packet->number == RB_REASON_CANCELLED)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, text);
  else
    g_set_error_literal (error, RB_LINK_ERROR,
                         is_of_a_link (packet->number) ? (int) packet->number : RB_REASON_LINK_PROTOCOL, text);
}

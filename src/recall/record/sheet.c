/* SPDX-License-Identifier: Apache-2.0 */
#include "record/sheet.h"

#include "core/json.h"
#include "record/around.h"
#include "record/ending.h"
#include "record/predicate.h"
#include "record/verify.h"

#include <cairo-pdf.h>
#include <pango/pangocairo.h>
#include <qrencode.h>
#include <string.h>

#define WIDTH 595.28
#define HEIGHT 841.89
#define MARGIN 48.0
#define INNER (WIDTH - 2 * MARGIN)
#define QR_SIZE 96.0
#define ECU_BOTTOM (HEIGHT - MARGIN - QR_SIZE - 24)
#define DIGEST_SHOWN 12
#define MAX_PHOTOS_SHOWN 4

typedef struct {
  cairo_t *cairo;
  double y;
} Page;

static cairo_status_t
append (void *closure, const unsigned char *data, unsigned int length)
{
  g_byte_array_append (closure, data, length);
  return CAIRO_STATUS_SUCCESS;
}

/* Draws text at x, at most width wide, cut with an ellipsis; gives its height. */
static double
draw_text (Page *page, double x, double width, const char *font, const char *text)
{
  int height = 0;
  PangoLayout *layout = pango_cairo_create_layout (page->cairo);
  PangoFontDescription *description = pango_font_description_from_string (font);
  pango_layout_set_font_description (layout, description);
  pango_layout_set_width (layout, (int) (width * PANGO_SCALE));
  pango_layout_set_ellipsize (layout, PANGO_ELLIPSIZE_END);
  pango_layout_set_single_paragraph_mode (layout, TRUE);
  pango_layout_set_text (layout, text, -1);
  pango_layout_get_size (layout, NULL, &height);
  cairo_move_to (page->cairo, x, page->y);
  pango_cairo_show_layout (page->cairo, layout);
  pango_font_description_free (description);
  g_object_unref (layout);
  return (double) height / PANGO_SCALE;
}

static void
draw_line (Page *page, const char *font, const char *text)
{
  page->y += draw_text (page, MARGIN, INNER, font, text) + 2;
}

static void
draw_fact (Page *page, const char *label, const char *value)
{
  draw_text (page, MARGIN, 120, "Sans 9", label);
  page->y += draw_text (page, MARGIN + 124, INNER - 124, "Sans Bold 9", value == NULL ? "–" : value) + 3;
}

static void
draw_rule (Page *page)
{
  page->y += 6;
  cairo_set_line_width (page->cairo, 0.5);
  cairo_move_to (page->cairo, MARGIN, page->y);
  cairo_line_to (page->cairo, WIDTH - MARGIN, page->y);
  cairo_stroke (page->cairo);
  page->y += 8;
}

/* The result as a word on a bar; a colour never stands for it. */
static void
draw_verdict (Page *page, const char *result)
{
  gboolean completed = strcmp (result, "completed") == 0;
  const char *text
    = completed                                        ? "COMPLETED: every ECU is proven recovered"
      : strcmp (result, RB_ENDING_HANDED_OVER) == 0    ? "HANDED OVER, NOT COMPLETE: DO NOT RELEASE THIS VEHICLE"
      : strcmp (result, RB_ENDING_TYPE_EXCEPTION) == 0 ? "CLOSED WITH EXCEPTION: DO NOT DRIVE THIS VEHICLE"
                                                       : "NOT COMPLETE: DO NOT RELEASE THIS VEHICLE";
  cairo_set_source_rgb (page->cairo, completed ? 0.1 : 0.7, completed ? 0.4 : 0.05, 0.1);
  cairo_rectangle (page->cairo, MARGIN, page->y, INNER, 34);
  cairo_fill (page->cairo);
  cairo_set_source_rgb (page->cairo, 1, 1, 1);
  page->y += 8;
  draw_text (page, MARGIN + 12, INNER - 24, "Sans Bold 13", text);
  cairo_set_source_rgb (page->cairo, 0, 0, 0);
  page->y += 26 + 12;
}

static char *
shorten (const json_t *object, const char *member)
{
  return g_strndup (rb_json_string_or (object, member, "–"), DIGEST_SHOWN);
}

static const double columns[] = { 0, 136, 208, 288, 320, 404 };
#define N_COLUMNS G_N_ELEMENTS (columns)

static void
draw_row (Page *page, const char *font, const char *const cells[N_COLUMNS])
{
  double height = 0;
  for (guint i = 0; i < N_COLUMNS; i++) {
    double end = i + 1 < N_COLUMNS ? columns[i + 1] : INNER;
    height = MAX (height, draw_text (page, MARGIN + columns[i], end - columns[i] - 4, font, cells[i]));
  }
  page->y += height + 1.5;
}

static void
draw_ecu (Page *page, const char *font, const json_t *ecu)
{
  const json_t *after = json_object_get (ecu, "after");
  g_autofree char *image = shorten (after, "imageSha256");
  g_autofree char *key = shorten (after, "keyId");
  g_autofree char *root = g_strdup_printf ("v%" G_GINT64_FORMAT,
                                           rb_json_integer_or (json_object_get (after, "directorRoot"), "version", 0));
  gboolean part = json_object_get (ecu, "reason") == NULL;
  const char *more = rb_json_string_or (ecu, "reason", rb_json_string_or (ecu, "replaces", NULL));
  g_autofree char *outcome = g_strdup_printf ("%s%s%s", rb_json_string_or (ecu, "outcome", ""),
                                              more == NULL ? ""
                                              : part       ? ": for "
                                                           : ": ",
                                              more == NULL ? "" : more);
  const char *const cells[N_COLUMNS] = {
    rb_json_string_or (ecu, "ecuSerial", ""), rb_json_string_or (after, "software", "–"), image, root, key, outcome
  };
  draw_row (page, font, cells);
}

/* Those that are not done come first: they must not fall off the page. */
static void
draw_ecus_that (Page *page, const char *font, const json_t *ecus, gboolean done, guint *left_out)
{
  size_t i;
  json_t *ecu;
  json_array_foreach ((json_t *) ecus, i, ecu) {
    if (rb_predicate_claims_done (ecu) != done)
      continue;
    if (page->y > ECU_BOTTOM - 24)
      (*left_out)++;
    else
      draw_ecu (page, font, ecu);
  }
}

static void
draw_ecus (Page *page, const json_t *ecus)
{
  static const char *const head[N_COLUMNS] = { "ECU", "Software", "Image", "Root", "Key", "Outcome" };
  const char *font = json_array_size (ecus) <= 24 ? "Sans 8" : "Sans 5.5";
  guint left_out = 0;
  draw_row (page, "Sans Bold 8", head);
  draw_ecus_that (page, font, ecus, FALSE, &left_out);
  draw_ecus_that (page, font, ecus, TRUE, &left_out);
  if (left_out == 0)
    return;
  g_autofree char *text = g_strdup_printf ("and %u more, which are in the signed record", left_out);
  draw_line (page, "Sans Italic 8", text);
}

/* Only ECUs whose DTCs differ; as many as fit on the page. */
static void
draw_dtcs (Page *page, const json_t *ecus)
{
  size_t i;
  json_t *ecu;
  json_array_foreach ((json_t *) ecus, i, ecu) {
    g_autofree char *difference
      = rb_around_dtc_difference (json_object_get (ecu, "dtcBefore"), json_object_get (ecu, "dtcAfter"));
    if (difference == NULL || page->y > ECU_BOTTOM - 12)
      continue;
    g_autofree char *text = g_strdup_printf ("%s: %s", rb_json_string_or (ecu, "ecuSerial", ""), difference);
    draw_line (page, "Sans 8", text);
  }
}

static gboolean
draw_code (Page *page, const char *text, GError **error)
{
  QRcode *code = QRcode_encodeString8bit (text, 0, QR_ECLEVEL_M);
  if (code == NULL) {
    g_set_error (error, RB_RECORD_ERROR, RB_REASON_INTERNAL, "The QR code cannot be made");
    return FALSE;
  }
  double cell = QR_SIZE / code->width, top = HEIGHT - MARGIN - QR_SIZE;
  for (int i = 0; i < code->width * code->width; i++)
    if ((code->data[i] & 1) != 0)
      cairo_rectangle (page->cairo, WIDTH - MARGIN - QR_SIZE + cell * (i % code->width),
                       top + cell * (double) (i / code->width), cell, cell);
  cairo_fill (page->cairo);
  QRcode_free (code);
  return TRUE;
}

static gboolean
draw_foot (Page *page, const RbVerifyOutcome *record, GError **error)
{
  const json_t *predicate = record->predicate;
  g_autofree char *code = g_strdup_printf ("recallbay-record|%s|%s|%s", rb_json_string_or (predicate, "recordId", ""),
                                           record->digest, record->workstation);
  g_autofree char *number = g_strdup_printf ("%" G_GINT64_FORMAT " of stream %s", record->sequence, record->stream);
  double width = INNER - QR_SIZE - 16;
  page->y = HEIGHT - MARGIN - QR_SIZE;
  page->y += draw_text (page, MARGIN, width, "Sans 8", "Record (SHA-256 of what was signed)") + 1;
  page->y += draw_text (page, MARGIN, width, "Monospace 7", record->digest) + 6;
  page->y += draw_text (page, MARGIN, width, "Sans 8", "Number") + 1;
  page->y += draw_text (page, MARGIN, width, "Monospace 7", number) + 8;
  page->y += draw_text (page, MARGIN, width, "Sans Italic 8", "This paper is a copy; the signed record is the proof.");
  return draw_code (page, code, error);
}

/* NULL if neither is there. (transfer full) */
static char *
join (const char *one, const char *other)
{
  return one == NULL || other == NULL ? g_strdup (one == NULL ? other : one) : g_strdup_printf ("%s, %s", one, other);
}

static void
draw_exception (Page *page, const json_t *exception)
{
  size_t i;
  json_t *photo;
  if (exception == NULL)
    return;
  draw_fact (page, "Exception", rb_json_string_or (exception, "as", NULL));
  if (json_object_get (exception, "text") != NULL)
    draw_fact (page, "Note", rb_json_string_or (exception, "text", NULL));
  json_array_foreach (json_object_get (exception, "photos"), i, photo)
    if (i < MAX_PHOTOS_SHOWN)
      draw_fact (page, "Photo (SHA-256)", rb_json_string_or (photo, "sha256", NULL));
}

static void
draw_head (Page *page, const RbVerifyOutcome *record)
{
  const json_t *predicate = record->predicate;
  const json_t *campaign = json_object_get (predicate, "campaign"), *vehicle = json_object_get (predicate, "vehicle");
  gint64 odometer = rb_json_integer_or (vehicle, "odometerKm", -1);
  g_autofree char *title = g_strdup_printf ("%s, recall %s", rb_json_string_or (campaign, "oem", ""),
                                            rb_json_string_or (campaign, "id", ""));
  g_autofree char *distance = odometer < 0 ? NULL : g_strdup_printf ("%" G_GINT64_FORMAT " km", odometer);
  g_autofree char *times = g_strdup_printf ("%s to %s", rb_json_string_or (predicate, "startedAt", ""),
                                            rb_json_string_or (predicate, "finishedAt", ""));
  g_autofree char *numbers
    = join (rb_json_string_or (campaign, "oemNumber", NULL), rb_json_string_or (campaign, "nhtsaNumber", NULL));
  g_autofree char *dealer = join (rb_json_string_or (json_object_get (predicate, "dealer"), "code", NULL),
                                  rb_json_string_or (json_object_get (predicate, "dealer"), "country", NULL));
  draw_line (page, "Sans 10", "Certificate of a manual recall after key compromise");
  draw_line (page, "Sans Bold 16", title);
  page->y += 8;
  draw_verdict (page, record->result);
  draw_fact (page, "VIN", record->vin);
  draw_fact (page, "Odometer", distance);
  draw_fact (page, "Campaign numbers", numbers);
  draw_fact (page, "Labour operation", rb_json_string_or (campaign, "labourOperation", NULL));
  draw_fact (page, "Dealer", dealer);
  draw_fact (page, "Repair order", rb_json_string_or (json_object_get (predicate, "dealer"), "repairOrder", NULL));
  draw_fact (page, "Result", record->result);
  draw_exception (page, json_object_get (predicate, "exception"));
  draw_fact (page, "Inspection", rb_json_string_or (json_object_get (predicate, "inspection"), "outcome", "none"));
  draw_fact (page, "Work", times);
  draw_fact (page, "Technician", rb_json_string_or (json_object_get (predicate, "technician"), "name", NULL));
  if (json_object_get (predicate, "secondPerson") != NULL)
    draw_fact (page, "Second person", rb_json_string_or (json_object_get (predicate, "secondPerson"), "name", NULL));
}

static void
set_metadata (cairo_surface_t *surface, const RbVerifyOutcome *record)
{
  g_autofree char *title = g_strdup_printf ("Recall certificate %s", record->vin);
  cairo_pdf_surface_set_metadata (surface, CAIRO_PDF_METADATA_TITLE, title);
  cairo_pdf_surface_set_metadata (surface, CAIRO_PDF_METADATA_SUBJECT, record->digest);
}

GBytes *
rb_sheet_draw (GBytes *envelope, GError **error)
{
  const RbVerifyRequest request = { 0 };
  g_autoptr (RbVerifyOutcome) outcome = rb_verify_record (envelope, &request);
  if (outcome->reason != RB_REASON_NONE) {
    g_set_error_literal (error, RB_RECORD_ERROR, (int) outcome->reason, outcome->message);
    return NULL;
  }
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  cairo_surface_t *surface = cairo_pdf_surface_create_for_stream (append, bytes, WIDTH, HEIGHT);
  Page page = { .cairo = cairo_create (surface), .y = MARGIN };
  set_metadata (surface, outcome);
  draw_head (&page, outcome);
  draw_rule (&page);
  draw_ecus (&page, json_object_get (outcome->predicate, "ecus"));
  draw_dtcs (&page, json_object_get (outcome->predicate, "ecus"));
  gboolean drawn = draw_foot (&page, outcome, error);
  cairo_destroy (page.cairo);
  cairo_surface_finish (surface);
  if (drawn && cairo_surface_status (surface) != CAIRO_STATUS_SUCCESS) {
    g_set_error (error, RB_RECORD_ERROR, RB_REASON_INTERNAL, "The page cannot be drawn");
    drawn = FALSE;
  }
  cairo_surface_destroy (surface);
  return drawn ? g_byte_array_free_to_bytes (g_steal_pointer (&bytes)) : NULL;
}

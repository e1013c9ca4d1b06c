/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/secret.h"

#include "core/files.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED 1 /* the leak check traces its own process */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

#define HEAP_BYTES (1024 * 1024)
#define HEAP_SMALLEST 16

static void *
allocate (size_t size, const char *file, int line)
{
  return malloc (size);
}

static void
release (void *memory, const char *file, int line)
{
  if (memory != NULL)
    explicit_bzero (memory, malloc_usable_size (memory));
  free (memory);
}

/* realloc() would leave the old bytes behind where it moves them. */
static void *
resize (void *memory, size_t size, const char *file, int line)
{
  size_t before = memory == NULL ? 0 : malloc_usable_size (memory);
  if (size == 0) {
    release (memory, file, line);
    return NULL;
  }
  if (size <= before && size > before / 2)
    return memory;
  void *moved = malloc (size);
  if (moved == NULL || memory == NULL)
    return moved;
  memcpy (moved, memory, MIN (before, size));
  release (memory, file, line);
  return moved;
}

void
rb_secret_prepare (void)
{
  const struct rlimit none = { 0, 0 };
  if (setrlimit (RLIMIT_CORE, &none) != 0)
    g_warning ("core dumps cannot be switched off");
  if (CRYPTO_set_mem_functions (allocate, resize, release) != 1)
    g_warning ("OpenSSL was used before its memory could be guarded");
  /* mmap, MADV_DONTDUMP and, where the limit allows it, mlock; 2: without mlock */
  if (CRYPTO_secure_malloc_initialized () == 0 && CRYPTO_secure_malloc_init (HEAP_BYTES, HEAP_SMALLEST) == 0)
    g_warning ("there is no guarded memory for keys");
}

void
rb_secret_hide_process (void)
{
  if (!IS_SANITIZED && geteuid () != 0 && prctl (PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    g_warning ("the process cannot be hidden from others of the same user");
}

void
rb_secret_show_process (void)
{
  if (!IS_SANITIZED && geteuid () != 0 && prctl (PR_SET_DUMPABLE, 1, 0, 0, 0) != 0)
    g_warning ("the process stays hidden from others of the same user");
}

void
rb_secret_free (char *text)
{
  if (text != NULL)
    explicit_bzero (text, strlen (text));
  g_free (text);
}

typedef struct {
  GBytes *bytes;
} Contents;

static void
contents_free (gpointer data)
{
  Contents *self = data;
  gsize length = 0;
  gpointer memory = (gpointer) g_bytes_get_data (self->bytes, &length);
  if (length > 0)
    explicit_bzero (memory, length);
  g_bytes_unref (self->bytes);
  g_free (self);
}

GBytes *
rb_secret_read (const char *path, gsize max, GError **error)
{
  GBytes *bytes = rb_files_read (path, max, error);
  if (bytes == NULL)
    return NULL;
  Contents *owner = g_new0 (Contents, 1);
  owner->bytes = bytes;
  return g_bytes_new_with_free_func (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), contents_free, owner);
}

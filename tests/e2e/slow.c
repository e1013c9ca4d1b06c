/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LD_PRELOAD for recallctl: a slow stick and a slow token. SLOW_FILE is part of a path, SLOW_FILE_FROM and SLOW_FILE_TO
 * which of its openings wait (from 1), SLOW_SIGN how many signatures wait; each SLOW_MS.
 */
#undef _FILE_OFFSET_BITS /* else open() is open64() */
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static atomic_int opened, signed_so_far;

/* ISO C does not convert what dlsym() gives to a function. */
#define NEXT(function, name) \
  do { \
    void *found = dlsym (RTLD_NEXT, name); \
    memcpy (&(function), &found, sizeof found); \
  } while (0)

static int
number (const char *name)
{
  const char *text = getenv (name);
  return text == NULL ? 0 : atoi (text);
}

static void
wait_a_while (void)
{
  (void) poll (NULL, 0, number ("SLOW_MS"));
}

static void
before_open (const char *path)
{
  const char *part = getenv ("SLOW_FILE");
  if (part == NULL || strstr (path, part) == NULL)
    return;
  int count = atomic_fetch_add (&opened, 1) + 1;
  if (count >= number ("SLOW_FILE_FROM") && count <= number ("SLOW_FILE_TO"))
    wait_a_while ();
}

#define OPEN(name) \
  int name (const char *path, int flags, ...) \
  { \
    int (*next) (const char *, int, ...); \
    va_list rest; \
    NEXT (next, #name); \
    va_start (rest, flags); \
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg (rest, mode_t) : 0; \
    va_end (rest); \
    before_open (path); \
    return next (path, flags, mode); \
  }
OPEN (open)
OPEN (open64)

int EVP_DigestSign (void *context, unsigned char *signature, size_t *length, const unsigned char *data, size_t size);

int
EVP_DigestSign (void *context, unsigned char *signature, size_t *length, const unsigned char *data, size_t size)
{
  int (*next) (void *, unsigned char *, size_t *, const unsigned char *, size_t);
  NEXT (next, "EVP_DigestSign");
  if (signature != NULL && atomic_fetch_add (&signed_so_far, 1) < number ("SLOW_SIGN"))
    wait_a_while ();
  return next (context, signature, length, data, size);
}

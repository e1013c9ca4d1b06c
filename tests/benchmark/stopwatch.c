/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stopwatch run PROGRAM ARGUMENT…: how long a process took from fork to end, and its peak memory.
 * stopwatch floor FILE OFFSET LENGTH KEY SIGNATURE: one pass over a file's bytes, their SHA-256, and one Ed25519
 * verification of LENGTH of them, without any process start. Both print "MICROSECONDS KILOBYTES PROCESSOR", the last in
 * microseconds of all threads.
 */
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long
now (void)
{
  struct timespec moment;
  clock_gettime (CLOCK_MONOTONIC, &moment);
  return moment.tv_sec * 1000000L + moment.tv_nsec / 1000;
}

static long
processor_now (void)
{
  struct timespec moment;
  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &moment);
  return moment.tv_sec * 1000000L + moment.tv_nsec / 1000;
}

static long
microseconds_of (const struct timeval *time)
{
  return time->tv_sec * 1000000L + time->tv_usec;
}

static void
die (const char *what)
{
  fprintf (stderr, "stopwatch: %s\n", what);
  exit (2);
}

static int
run (char **command)
{
  struct rusage usage;
  int status = 0;
  long begin = now ();
  pid_t child = fork ();
  if (child == 0) {
    if (freopen ("/dev/null", "w", stdout) != NULL)
      execv (command[0], command);
    _exit (127);
  }
  if (child < 0 || wait4 (child, &status, 0, &usage) != child)
    die ("no child");
  printf ("%ld %ld %ld\n", now () - begin, usage.ru_maxrss,
          microseconds_of (&usage.ru_utime) + microseconds_of (&usage.ru_stime));
  return WIFEXITED (status) ? WEXITSTATUS (status) : 128;
}

/* By words: a sum byte by byte would be a higher floor. */
static uint64_t
sum (const unsigned char *bytes, size_t length)
{
  uint64_t total = 0, word = 0;
  for (size_t i = 0; i + sizeof word <= length; i += sizeof word) {
    memcpy (&word, &bytes[i], sizeof word);
    total += word;
  }
  return total;
}

static int
is_signed (const unsigned char *message, size_t length, const char *key_hex, const char *signature_hex)
{
  long key_length = 0, signature_length = 0;
  unsigned char *key = OPENSSL_hexstr2buf (key_hex, &key_length);
  unsigned char *signature = OPENSSL_hexstr2buf (signature_hex, &signature_length);
  EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key (EVP_PKEY_ED25519, NULL, key, (size_t) key_length);
  EVP_MD_CTX *context = EVP_MD_CTX_new ();
  int good = EVP_DigestVerifyInit (context, NULL, NULL, NULL, pkey) == 1
             && EVP_DigestVerify (context, signature, (size_t) signature_length, message, length) == 1;
  EVP_MD_CTX_free (context);
  EVP_PKEY_free (pkey);
  OPENSSL_free (key);
  OPENSSL_free (signature);
  return good;
}

/* The digest that the snapshot lists. */
static void
digest (const unsigned char *bytes, size_t length)
{
  unsigned char sum_of_all[EVP_MAX_MD_SIZE];
  if (EVP_Digest (bytes, length, sum_of_all, NULL, EVP_sha256 (), NULL) != 1)
    die ("no digest");
}

static int
floor_of (char **arguments)
{
  struct stat status;
  struct rusage usage;
  size_t offset = strtoull (arguments[1], NULL, 10), length = strtoull (arguments[2], NULL, 10);
  if (!is_signed ((const unsigned char *) "", 0, arguments[3], arguments[4]))
    OPENSSL_init_crypto (0, NULL); /* what OpenSSL does once is not part of the floor */
  digest ((const unsigned char *) "", 0);
  long begin = now (), processor = processor_now ();
  int fd = open (arguments[0], O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat (fd, &status) != 0)
    die (arguments[0]);
  const unsigned char *bytes = mmap (NULL, (size_t) status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (bytes == MAP_FAILED || offset + length > (size_t) status.st_size)
    die ("cannot map");
  volatile uint64_t total = sum (bytes, (size_t) status.st_size);
  (void) total;
  digest (bytes, (size_t) status.st_size);
  if (!is_signed (&bytes[offset], length, arguments[3], arguments[4]))
    die ("not the signature of these bytes");
  long end = now (), processor_end = processor_now ();
  getrusage (RUSAGE_SELF, &usage);
  printf ("%ld %ld %ld\n", end - begin, usage.ru_maxrss, processor_end - processor);
  return 0;
}

int
main (int argc, char **argv)
{
  if (argc >= 3 && strcmp (argv[1], "run") == 0)
    return run (&argv[2]);
  if (argc == 7 && strcmp (argv[1], "floor") == 0)
    return floor_of (&argv[2]);
  die ("run PROGRAM ARGUMENT… | floor FILE OFFSET LENGTH KEY SIGNATURE");
}

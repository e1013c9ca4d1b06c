/* SPDX-License-Identifier: Apache-2.0 */
#include "link/packet.h"
#include "linkd/serve.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static gboolean
is_packet_socket (int fd)
{
  int type = 0;
  socklen_t length = sizeof type;
  return getsockopt (fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_SEQPACKET;
}

int
main (int argc, char **argv)
{
  if (argc > 1 && strcmp (argv[1], "--version") == 0) {
    puts ("recall-link " RB_VERSION);
    return 0;
  }
  if (argc > 1 || !is_packet_socket (RB_PACKET_HEARTBEAT_FD) || !is_packet_socket (RB_PACKET_CALLS_FD)) {
    gboolean asked = argc > 1 && strcmp (argv[1], "--help") == 0;
    fputs (
      "Usage: recall-link\n\nThe part of Recallbay that speaks with adapters and vehicles. recallctl and recallbay start it by themselves.\n",
      asked ? stdout : stderr);
    return asked ? 0 : 2;
  }
  signal (SIGPIPE, SIG_IGN);
  rb_serve_run ();
  return 1;
}

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A web server that answers as servers do on bad days; prints its ports, ends with its standard input.
Usage: answers.py [CERTIFICATE KEY CA]"""

import http.server
import select
import ssl
import sys
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def send(self, status, body=b"", **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def endless(self):
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"x" * 65536)
        except OSError:
            pass

    def drip(self):
        """A byte now and then: never idle, never done."""
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"x")
                self.wfile.flush()
                select.select([self.connection], [], [], 0.05)
        except OSError:
            pass

    def short(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"not a thousand")
        self.close_connection = True

    def do_GET(self):
        name = self.path.strip("/")
        if name.isdigit():
            self.send(int(name), b"status", Location="/good")
        elif name == "good":
            self.send(200, b"good bytes")
        elif name == "encoding":
            self.send(200, (self.headers.get("Accept-Encoding") or "none").encode())
        elif name == "silent":
            self.connection.recv(1)  # until the client gives up
        else:
            getattr(self, name)()

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send(201, f"{self.path} {self.headers['Content-Type']} ".encode() + body)


def serve(context=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def main():
    ports = [serve()]
    if len(sys.argv) > 1:
        for wants in (ssl.CERT_NONE, ssl.CERT_REQUIRED):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(sys.argv[1], sys.argv[2])
            context.load_verify_locations(sys.argv[3])
            context.verify_mode = wants
            ports.append(serve(context))
    print(*ports, flush=True)
    sys.stdin.read()


main()

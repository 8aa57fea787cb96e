"""An AWS that nobody here wrote: moto behind HTTP on a free port of 127.0.0.1, which it prints.

It answers one request after the other: moto's transactions are not kept apart, and one that is refused takes back what another has
written meanwhile. It ends with its standard input. Whoever started it holds the other end of that pipe, so that it does not
outlive a test, however the test ends.
"""

import sys
import threading

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

moto = DomainDispatcherApplication(create_backend_app)
turn = threading.Lock()


def one_at_a_time(environ, start_response):
    with turn:
        return moto(environ, start_response)


server = make_server("127.0.0.1", 0, one_at_a_time, threaded=True, request_handler=MotoRequestHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()

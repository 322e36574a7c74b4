"""Debian's nginx as many registries have it in front of them: TLS, HTTP/2 offered, few requests on one connection."""

import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

from .registry import free_address

CONFIG = """\
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests {requests};
  server {{
    listen {address} ssl http2;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    client_max_body_size 0;
    location / {{
      proxy_pass http://{upstream};
      proxy_http_version 1.1;
      proxy_request_buffering off;
      proxy_set_header Host $http_host;
    }}
  }}
}}
"""


def is_installed():
    return shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin") is not None


class Nginx:
    """Runs from its making to close()."""

    def __init__(self, upstream, certificate, key, requests):
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="faults-nginx-"))
        self.address = free_address()
        config = self._folder / "nginx.conf"
        config.write_text(CONFIG.format(folder=self._folder, address=self.address, upstream=upstream, requests=requests,
                                        certificate=certificate, key=key))
        program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
        self._process = subprocess.Popen([program, "-c", str(config), "-e", str(self._folder / "error.log")],
                                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        self._wait_until_it_listens()

    def _wait_until_it_listens(self):
        host, port = self.address.split(":")
        deadline = time.monotonic() + 10
        while True:
            try:
                return socket.create_connection((host, int(port)), timeout=1).close()
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("nginx does not start: " + (self._folder / "error.log").read_text()[-2000:])
                time.sleep(0.02)

    def close(self):
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder)

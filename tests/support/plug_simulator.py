"""Smart plugs that answer over HTTP as real ones do, with their faults."""

from __future__ import annotations

import http.server
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

UPDATE_S = 1.0


class Load:
    """What hangs on the plug: (seconds, watts) one after another, the last for ever.

    The plug looks once a second; between two looks its answer stays the same.
    """

    def __init__(
        self,
        steps: Sequence[tuple[float, float]],
        start_j: float = 0.0,
        now: Callable[[], float] = time.monotonic,
    ):
        self._steps, self._start_j, self._now = steps, start_j, now
        self._began_s = now()

    def read(self) -> tuple[float, float]:
        """Power in W and the energy counter in J at the last look."""
        left_s = (self._now() - self._began_s) // UPDATE_S * UPDATE_S
        energy_j = self._start_j
        for duration_s, power_w in self._steps[:-1]:
            if left_s < duration_s:
                return power_w, energy_j + power_w * left_s
            energy_j += power_w * duration_s
            left_s -= duration_s
        power_w = self._steps[-1][1]
        return power_w, energy_j + power_w * left_s


def shelly(path: str, load: Load) -> str | None:
    """Generation 2 and later, one switch."""
    if path == "/shelly":
        return (
            '{"name":null,"id":"shellyplusplugs-b0a732000000","mac":"B0A732000000","model":"SNPL-00112EU",'
            '"gen":2,"app":"PlusPlugS","auth_en":false,"auth_domain":null}'
        )
    if path != "/rpc/Switch.GetStatus?id=0":
        return None
    power_w, energy_j = load.read()
    return (
        f'{{"id":0, "source":"init", "output":true, "apower":{power_w:.1f}, "voltage":228.5, "freq":50.0, '
        f'"current":{power_w / 228.5:.3f}, "aenergy":{{"total":{energy_j / 3600:.3f},'
        '"by_minute":[0.000,0.000,0.000],"minute_ts":1768592460}, "ret_aenergy":{"total":0.000,'
        '"by_minute":[0.000,0.000,0.000],"minute_ts":1768592460},"temperature":{"tC":32.1, "tF":89.8}}'
    )


def shelly_meter(path: str, load: Load) -> str | None:
    """A plug that only measures: no switch, a PM1."""
    answer = shelly(path.replace("PM1", "Switch"), load) if "PM1" in path else None
    return answer and answer.replace('"source":"init", "output":true, ', "")


def shelly_relay(path: str, load: Load) -> str | None:
    """A relay without a meter."""
    if path != "/rpc/Switch.GetStatus?id=0":
        return None
    return '{"id":0, "source":"init", "output":true,"temperature":{"tC":44.5, "tF":112.1}}'


def shelly_1(path: str, load: Load) -> str | None:
    """Generation 1."""
    if path != "/status":
        return None
    power_w, energy_j = load.read()
    return (
        '{"wifi_sta":{"connected":true,"ssid":"home","ip":"192.168.178.33","rssi":-57},"relays":[{"ison":true,'
        '"has_timer":false,"timer_started":0,"timer_duration":0,"timer_remaining":0,"overpower":false,'
        f'"source":"http"}}],"meters":[{{"power":{power_w:.2f},"overpower":0.00,"is_valid":true,'
        f'"timestamp":1676138370,"counters":[0.000, 0.000, 0.000],"total":{int(energy_j / 60)}}}],'
        '"temperature":16.79,"overtemperature":false}'
    )


def tasmota(path: str, load: Load) -> str | None:
    """With whole watts and watt-hours, as it comes."""
    if path != "/cm?cmnd=Status%208":
        return None
    power_w, energy_j = load.read()
    return (
        '{"StatusSNS":{"Time":"2023-10-09T09:21:49","ENERGY":{"TotalStartTime":"2023-07-10T09:17:23",'
        f'"Total":{energy_j / 3.6e6:.3f},"Yesterday":0.608,"Today":0.011,"Power":{power_w:.0f},'
        '"ApparentPower":20,"ReactivePower":20,"Factor":0.06,"Voltage":230,"Current":0.085}}}'
    )


Answer = Callable[[str, Load], "str | None"]


@contextmanager
def plug(answer: Answer, load: Load) -> Iterator[str]:
    """A plug that is well; gives its address, ``http://127.0.0.1:port``."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = (answer(self.path, load) or "Not Found").encode()
            self.send_response(404 if body == b"Not Found" else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def raw(*parts: bytes, pause_s: float = 0.0, hold: bool = False) -> Iterator[str]:
    """Whatever listens there: it sends these bytes with pauses between, then closes, or holds the line."""
    done = threading.Event()

    def serve(server: socket.socket) -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                try:
                    while b"\r\n\r\n" not in connection.recv(65536):
                        pass
                    for part in parts:
                        connection.sendall(part)
                        if done.wait(pause_s):
                            return
                    if hold:
                        done.wait()
                    connection.shutdown(socket.SHUT_WR)
                except OSError:
                    continue

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            done.set()
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def nobody() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


def response(status: int, body: bytes, *headers: bytes) -> bytes:
    """An answer in full."""
    length = b"Content-Length: %d" % len(body)
    return b"\r\n".join([b"HTTP/1.1 %d X" % status, length, *headers, b"", body])

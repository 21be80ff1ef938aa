"""The puppet with a driver, in protocol 1.3.0: ``driven.py SIN COMMAND``, honest unless SIN names a sin."""

import puppet

SIN, COMMAND = puppet.SIN, puppet.COMMAND
plain_send, plain_request = puppet.send, puppet.read_request
driver = {}


def send(kind, **fields):
    if kind == "hello":
        fields["protocols"] = ["1.3.0"]
    if kind == "footprint" and driver and SIN != "silent":
        scenario = "Offline" if SIN == "other-scenario" else driver["scenario"]
        logs = dict.fromkeys(("summary", "detail"), "" if SIN == "logless" else "Result is : VALID")
        settings = {"min_query_count": driver["min_query_count"]}
        plain_send("loadgen", scenario=scenario, settings=settings, version=None, **logs)
    plain_send(kind, **fields)


def read_request():
    if COMMAND == "probe":
        puppet.fail("unsupported", "measures no ceilings")
    request = plain_request()
    asked = (request or {}).get("driver")
    if asked and SIN != "careless":
        if asked["name"] != "loadgen" or SIN == "driverless":
            puppet.fail("unsupported", "no such driver")
        count = 3 if SIN == "impatient" else asked["min_query_count"]
        request["measure"] = {"min_duration_ns": 0, "min_iterations": count, "max_iterations": count}
        driver.update(asked)
    return request


puppet.send, puppet.read_request = send, read_request
puppet.main()

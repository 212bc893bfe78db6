import socket

from flask import Flask, jsonify, request

app = Flask(__name__)

with open("legit.txt") as lines:
    legit = {line.strip() for line in lines}


@app.route("/apply")
def apply():
    host = request.args.get("host", "")
    return jsonify(is_malicious="legit" if host in legit else "malicious")


# :: takes IPv4 as well; a machine without IPv6 does not have it.
host, family = ("::", socket.AF_INET6) if socket.has_dualstack_ipv6() else ("0.0.0.0", socket.AF_INET)


def free_port():
    with socket.socket(family) as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    port = free_port()
    with open("endpoint.dat", "w") as endpoint:
        endpoint.write("""{
  "url": "http://0.0.0.0:%d",
  "functions": {
    "apply": "apply"
  }
}
""" % port)
    app.run(host=host, port=port, threaded=True)

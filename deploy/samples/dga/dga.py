import socket

from flask import Flask, jsonify, request

app = Flask(__name__)

with open("legit.txt") as lines:
    legit = {line.strip() for line in lines}


@app.route("/apply")
def apply():
    host = request.args.get("host", "")
    return jsonify(is_malicious="legit" if host in legit else "malicious")


def free_port():
    with socket.socket() as probe:
        probe.bind(("0.0.0.0", 0))
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
    app.run(host="0.0.0.0", port=port, threaded=True)

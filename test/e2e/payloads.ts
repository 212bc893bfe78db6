/** Models for tests, as people write them: a shell script, or a script that starts Python. */

/** An HTTP server that answers every GET with its version, and handles no signals. */
export function pythonModel(
  version: string,
  options: { delaySeconds?: number; host?: string } = {},
): Record<string, string> {
  return {
    'run.sh': `#!/bin/bash\npython server.py ${version}\n`,
    'server.py': `
import json, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = json.dumps({"version": sys.argv[1]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass

time.sleep(${options.delaySeconds ?? 0})
server = ThreadingHTTPServer(("${options.host ?? '0.0.0.0'}", 0), Handler)
with open("endpoint.dat", "w") as endpoint:
    endpoint.write(json.dumps({"url": "http://0.0.0.0:%d" % server.server_port, "functions": {"apply": "apply"}}))
server.serve_forever()
`,
  };
}

/** A script of one's own. */
export function script(text: string): Record<string, string> {
  return { 'run.sh': `#!/bin/bash\n${text}\n` };
}

// A gateway on Node's http2: answers as APNs, FCM and Google's token endpoint would.
//
// usage: node gateway.cjs PORT CERTIFICATE LOG STREAMS LAST
//
// Notes path and connection of each request in LOG.  With LAST, a connection ends politely after so many requests.
const { appendFileSync, readFileSync } = require("fs");
const http2 = require("http2");

const [port, certificate, log, streams, last] = process.argv.slice(2);
const pem = readFileSync(certificate);
const settings = { maxConcurrentStreams: Number(streams) };
const server = http2.createSecureServer({ key: pem, cert: pem, allowHTTP1: true, settings });

const GRANT = { access_token: "ya29.x", expires_in: 3599, token_type: "Bearer" };
const GONE = { reason: "Unregistered", timestamp: 1790000000000 };

let sessions = 0;
server.on("session", (session) => (session.number = ++sessions));

server.on("request", (request, response) => {
  request.resume();
  request.on("end", () => {
    appendFileSync(log, `${request.url} ${request.stream?.session?.number ?? 0}\n`);
    const id = request.headers["apns-id"];
    const head = id === undefined ? {} : { "apns-id": id };
    if (request.url.startsWith("/3/device/de")) {
      response.writeHead(410, { ...head, "content-type": "application/json" });
      response.addTrailers({ "x-trailer": "kept out of the answer" });
      response.end(JSON.stringify(GONE));
    } else {
      response.writeHead(200, head);
      if (request.url === "/token") response.end(JSON.stringify(GRANT));
      else if (request.url.startsWith("/v1/")) response.end('{"name": "projects/shop/messages/0:1"}');
      else response.end();
    }
    const session = request.stream?.session;
    if (session && Number(last)) {
      session.served = (session.served ?? 0) + 1;
      if (session.served === Number(last)) session.close();
    }
  });
});
server.listen(Number(port), "127.0.0.1");

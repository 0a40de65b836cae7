// Node's `ws`: who connects is a reader; a text is answered "ok", and one that begins with "go" spread before.
import {createRequire} from "node:module";
const require = createRequire(process.argv[3] + "/");
const {WebSocketServer} = require("ws");
import {createServer as plain} from "node:http";
import {createServer as secure} from "node:https";
import {readFileSync} from "node:fs";

const [size, , cert, key] = process.argv.slice(2);
const pad = "x".repeat(Number(size) - 21);
const http = cert ? secure({cert: readFileSync(cert), key: readFileSync(key)}) : plain();
const server = new WebSocketServer({server: http});
server.on("connection", (socket) => {
  socket.on("message", (data) => {
    if (data.toString().startsWith("go")) {
      const us = (process.hrtime.bigint() / 1000n).toString().padStart(16, "0");
      const text = `${pad}"ts":${us}`;
      for (const client of server.clients) client.send(text);
    }
    socket.send("ok");
  });
});
http.listen({port: 0, host: "127.0.0.1", backlog: 4096}, () => console.log(http.address().port));

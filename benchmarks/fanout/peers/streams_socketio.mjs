// Node's `socket.io` with streams, which are rooms; see streams_ws.mjs.
import {createRequire} from "node:module";
import {createServer} from "node:http";
const require = createRequire(process.argv[4] + "/");
const {Server} = require("socket.io");

const kline = "x".repeat(Number(process.argv[2]));
const book = "x".repeat(Number(process.argv[3]));
const http = createServer();
const server = new Server(http);
server.on("connection", (socket) => {
  socket.on("sub", (numbers) => socket.join(numbers.map(String)));
  socket.on("go", (symbol) => {
    for (let kind = 0; kind < 12; kind++)
      server.to(String(symbol * 12 + kind)).emit("push", kind < 11 ? kline : book);
    socket.emit("ok");
  });
});
http.listen(0, "127.0.0.1", () => console.log(http.address().port));

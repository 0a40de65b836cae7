// Node's `socket.io`: the same over Socket.IO, to everyone in the default namespace.
import {createRequire} from "node:module";
import {createServer} from "node:http";
const require = createRequire(process.argv[3] + "/");
const {Server} = require("socket.io");

const text = "x".repeat(Number(process.argv[2]));
const http = createServer();
const server = new Server(http);
server.on("connection", (socket) => {
  socket.on("go", () => {
    server.emit("push", text);
    socket.emit("ok");
  });
});
http.listen(0, "127.0.0.1", () => console.log(http.address().port));

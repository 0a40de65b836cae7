// Node's `ws`: who connects is a reader; a text that begins with "go" is spread, and answered "ok".
import {createRequire} from "node:module";
const require = createRequire(process.argv[3] + "/");
const {WebSocketServer} = require("ws");

const text = "x".repeat(Number(process.argv[2]));
const server = new WebSocketServer({host: "127.0.0.1", port: 0});
server.on("listening", () => console.log(server.address().port));
server.on("connection", (socket) => {
  socket.on("message", (data) => {
    if (!data.toString().startsWith("go")) return;
    for (const client of server.clients) client.send(text);
    socket.send("ok");
  });
});

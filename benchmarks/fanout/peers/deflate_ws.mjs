// Node's `ws` with its own compression, by its defaults: deflate_ws.mjs NODE FILE. The lines of FILE are
// spread in turn.
import {readFileSync} from "node:fs";
import {createRequire} from "node:module";
const [folder, path] = process.argv.slice(2);
const {WebSocketServer} = createRequire(folder + "/")("ws");

const texts = readFileSync(path, "utf8").split("\n").filter((line) => line);
let turn = 0;
const server = new WebSocketServer({host: "127.0.0.1", port: 0, perMessageDeflate: true});
server.on("listening", () => console.log(server.address().port));
server.on("connection", (socket) => {
  socket.on("message", (data) => {
    if (!data.toString().startsWith("go")) return;
    const text = texts[turn++ % texts.length];
    for (const client of server.clients) client.send(text);
    socket.send("ok");
  });
});

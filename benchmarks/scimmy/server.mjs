// SCIMMY over the users of a JSON file, kept in memory; only the page that is asked for goes through its models.
import { readFileSync } from "node:fs";
import express from "express";
import SCIMMY from "scimmy";
import SCIMMYRouters from "scimmy-routers";

const users = JSON.parse(readFileSync(process.argv[2], "utf8"));
const byId = new Map(users.map((user) => [user.id, user]));

SCIMMY.Resources.declare(SCIMMY.Resources.User).extend(SCIMMY.Schemas.EnterpriseUser, false).egress((resource) => {
    if (resource.id) return byId.get(resource.id);
    const { startIndex = 1, count = 20 } = resource.constraints ?? {};
    resource.constraints.totalResults = users.length;
    return users.slice(startIndex - 1, startIndex - 1 + count);
});

const app = express();
app.use("/scim/v2", new SCIMMYRouters({ type: "bearer", handler: () => "benchmark" }));
const listener = app.listen(0, "127.0.0.1", () => {
    console.log(`http://127.0.0.1:${listener.address().port}/scim/v2`);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { closeModules, parseModulesDep } from "./module-closure.ts";

const text = `kernel/net/core/failover.ko:
kernel/drivers/net/net_failover.ko: kernel/net/core/failover.ko
kernel/drivers/net/virtio_net.ko: kernel/drivers/net/net_failover.ko kernel/net/core/failover.ko
kernel/drivers/net/usb/cdc-ether.ko:
`;

test("preboot modules: a module brings all it depends on, once", () => {
  const { paths, absent } = closeModules(parseModulesDep(text), ["virtio_net", "cdc_ether", "net_failover"]);
  assert.deepEqual(paths, [
    "kernel/drivers/net/net_failover.ko",
    "kernel/drivers/net/usb/cdc-ether.ko",
    "kernel/drivers/net/virtio_net.ko",
    "kernel/net/core/failover.ko",
  ]);
  assert.deepEqual(absent, []);
});

test("preboot modules: a name this kernel does not have is reported, not fatal", () => {
  assert.deepEqual(closeModules(parseModulesDep(text), ["no_such_driver"]), {
    paths: [],
    absent: ["no_such_driver"],
  });
});

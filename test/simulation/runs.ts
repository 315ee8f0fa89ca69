import { collectDue } from "../../src/lifecycle/collection.ts";
import { runSchedule } from "../../src/lifecycle/schedule.ts";
import type { Scene } from "./scene.ts";

/** The cron trigger. It may take what tags held until now. */
export async function runCron({ model, service }: Scene): Promise<void> {
  model.noteAllHolds();
  await service.request("schedule", runSchedule);
}

/** A collection on request. */
export async function collectNow({ model, service }: Scene): Promise<void> {
  model.noteAllHolds();
  await service.request("collection", collectDue);
}

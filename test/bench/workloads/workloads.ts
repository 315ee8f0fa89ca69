import type { Plan } from "../plan.ts";
import { Content } from "./content.ts";
import { clients, images, layers } from "./images.ts";
import { layer, layerPut } from "./layer.ts";
import { requests } from "./requests.ts";
import { skopeo } from "./skopeo.ts";
import { worker } from "./worker.ts";
import type { Workload } from "./workload.ts";

/** All workloads, in the order in which they run. `folder` is theirs to write in. */
export function workloadsOf(plan: Plan, folder: string): readonly Workload[] {
  const content = new Content(plan.layerBytes);
  return [
    layer(plan, content),
    layerPut(plan, content),
    layers(plan, content),
    images(plan, content),
    clients(plan, content),
    requests(plan, content),
    skopeo(plan, content, folder),
    worker(folder),
  ];
}

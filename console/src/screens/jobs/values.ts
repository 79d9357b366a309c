/** What the query bar suggests: the names and the values that the service knows. */
import { useData } from "../../api/cache";
import type { Queues, TaskDetails, TaskInfo, Workers } from "../../api/types";
import { type Known, valuesOf } from "../../logic/query";
import { givenIn, pathsOf, type Schema } from "../../logic/schema";
import { STATES } from "../../logic/states";

const LENGTHS = ["15min", "1h", "24h", "7d"];

/** Returns what is known: of the arguments of the task that is asked for, or of all tasks. */
export function useValues(query: string): Known {
	const tasks = useData<TaskInfo[]>("tasks").data.value;
	const queues = useData<Queues>("queues", { topics: ["queues"] }).data.value;
	const workers = useData<Workers>("workers", { topics: ["workers"] }).data.value;
	const asked = valuesOf(query, "task");
	const task = tasks?.find((one) => one.name === asked[0])?.name;
	const path = task && `tasks/${encodeURIComponent(task)}/$details`;
	const schema = useData<TaskDetails>(path ?? null).data.value?.arguments;
	const paths: ReadonlyMap<string, readonly string[]> = schema
		? pathsOf(schema as Schema)
		: new Map((tasks ?? []).flatMap((one) => givenIn(one.parameters).map((name) => [name, []])));
	return {
		names: [...paths.keys()].map((one) => `args.${one}`),
		values: (name) => {
			if (name === "state") return STATES;
			if (name === "task") return tasks?.map((one) => one.name) ?? [];
			if (name === "queue") return queues?.items.map((one) => one.name) ?? [];
			if (name === "worker") return workers?.items.map((one) => one.name) ?? [];
			if (name === "newer" || name === "older") return LENGTHS;
			return name.startsWith("args.") ? (paths.get(name.slice(5)) ?? []) : [];
		},
	};
}

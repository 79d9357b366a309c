/** Who looks, what they may do, and what the service is called. */
import { computed, signal } from "@preact/signals";
import { get } from "./api/client";
import type { Problem } from "./api/problem";
import type { Me } from "./api/types";

export type Role = Me["role"];

const RANKS: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 };

/** Who looks; undefined until the server has said. */
export const me = signal<Me | undefined>(undefined);

/** Why the server has not said who looks, as long as it has not. */
export const unknown = signal<Problem | undefined>(undefined);

/** Whether buttons that change something are shown. */
export const mayOperate = computed(() => has("operator"));

/** Whether somebody has a role, or a greater one. */
export function has(role: Role): boolean {
	return me.value !== undefined && RANKS[me.value.role] >= RANKS[role];
}

/** Asks the server who looks, until it answers. */
export async function begin(): Promise<void> {
	try {
		me.value = (await get<Me>("me")).data;
		unknown.value = undefined;
	} catch (problem) {
		unknown.value = problem as Problem;
		window.setTimeout(() => void begin(), 3000);
	}
}

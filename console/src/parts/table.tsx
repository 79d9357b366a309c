/** A table: its heads, and rows that a screen makes. On a narrow page a row is a card. */
import type { ComponentChildren } from "preact";

/** The head of a column. An unseen one is there for those who listen. */
export type Head = string | { name: string; right?: boolean; unseen?: boolean };

/** A column of numbers or times, which stand at the right. */
export function right(name: string): Head {
	return { name, right: true };
}

/** The column of buttons. */
export const ACTIONS: Head = { name: "Actions", unseen: true };

interface TableProps {
	heads: readonly Head[];
	/** Whether it is a card by itself; else it stands in one. */
	isCard?: boolean;
	children: ComponentChildren;
}

/** The table. */
export function Table({ heads, isCard = true, children }: TableProps) {
	return (
		<div class={isCard ? "table-box card" : "table-box"}>
			<table class="table">
				<thead>
					<tr>
						{heads.map((head) => {
							const { name, right, unseen }: Exclude<Head, string> =
								typeof head === "string" ? { name: head } : head;
							return (
								<th key={name} scope="col" class={right ? "right" : undefined}>
									{unseen ? <span class="unseen">{name}</span> : name}
								</th>
							);
						})}
					</tr>
				</thead>
				<tbody>{children}</tbody>
			</table>
		</div>
	);
}

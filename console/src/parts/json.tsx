/** Shows JSON from its text, lexeme by lexeme, with objects and lists that fold. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { type Member, type Node, pretty, read } from "../logic/json";
import { Copy } from "./copy";

const SHOWN = 64 * 1024;
const OPEN = 40; // members that are shown before "more" is pressed
const DEEP = 3; // levels that are open at first

/** A JSON text. Of a long one the beginning is shown. */
export function Json({ text, empty = "none" }: { text: string; empty?: string }) {
	const node = useMemo(() => read(text.slice(0, SHOWN)), [text]);
	if (!text) return <p class="quiet pad">{empty}</p>;
	return (
		<div class="json">
			<Copy text={text.length <= SHOWN ? pretty(node) : text} label="Copy the JSON" />
			<div class="json-text">
				<Value node={node} depth={0} />
			</div>
			{text.length > SHOWN && (
				<p class="quiet">
					The first 64 KB of {Math.round(text.length / 1024).toLocaleString("en-US")} KB. Copy has
					all of it.
				</p>
			)}
		</div>
	);
}

function Value({ node, depth }: { node: Node; depth: number }) {
	if (node.kind === "object" || node.kind === "array") return <Fold node={node} depth={depth} />;
	return <span class={`j-${node.kind}`}>{node.text}</span>;
}

function Fold({ node, depth }: { node: Node; depth: number }) {
	const open = useSignal(depth < DEEP && (depth === 0 || node.members.length <= OPEN));
	const most = useSignal(OPEN);
	const [begin, end] = node.kind === "object" ? ["{", "}"] : ["[", "]"];
	const total = node.members.length;
	if (!total) return <span class="j-sign">{begin + end}</span>;
	const word = node.kind === "object" ? "key" : "item";
	return (
		<span class="j-fold">
			<button
				type="button"
				class="j-toggle"
				aria-expanded={open.value}
				onClick={() => {
					open.value = !open.value;
				}}
			>
				<span class="unseen">{open.value ? "Fold" : "Unfold"} </span>
				{begin}
				{!open.value && (
					<span class="quiet">
						{` ${total} ${word}${total === 1 ? "" : "s"} `}
						{end}
					</span>
				)}
			</button>
			{open.value && (
				<>
					<span class="j-members">
						{node.members.slice(0, most.value).map((one, at) => (
							<Line key={at} member={one} last={at === total - 1} depth={depth} />
						))}
						{most.value < total && (
							<button
								type="button"
								class="link"
								onClick={() => {
									most.value *= 10;
								}}
							>
								{total - most.value} more
							</button>
						)}
					</span>
					<span class="j-sign">{node.cut ? "…" : end}</span>
				</>
			)}
		</span>
	);
}

function Line(props: { member: Member; last: boolean; depth: number }): ComponentChildren {
	const { key, value } = props.member;
	return (
		<span class="j-line">
			{key !== null && (
				<>
					<span class="j-key">{key}</span>
					<span class="j-sign">: </span>
				</>
			)}
			<Value node={value} depth={props.depth + 1} />
			{!props.last && <span class="j-sign">,</span>}
		</span>
	);
}

# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the sample's text: people of an invented valley, who they are and how we ask about them.

The model learns 3000 people by heart (about 0.4 bits of knowledge a weight), because text that is too easy loses nothing even at
2 bits. Every fact has three wordings; for each person and fact one of them is never trained on, and that one is asked for.
Same seed, same files. Usage: python3 make_text.py OUT
"""
import json
import pathlib
import random
import sys

SEED = 20
PEOPLE = 3000
TELLINGS = 4  # documents a person

SHE = """Ada Bela Cora Dora Edda Fenja Gerda Hilda Ida Jonna Kaja Lena Mara Nora Olga Petra Rika Selma Tilda Ulla Vera Wilma Yrsa Zelda
Agnes Berit Carla Dagny Elsa Frida""".split()
HE = """Alban Bernt Carl David Egon Finn Gustav Henrik Ivar Jasper Klaus Lars Magnus Nils Oskar Paul Rolf Sven Tomas Urban Viktor Walter
Yorick Zoran Anton Bruno Cedric Dirk Emil Felix""".split()
FAMILY = """Ashdown Barlow Carver Denholm Ellwood Fairley Garrick Hollis Ingram Jessop Kendal Langley Marlow Norwood Oakley Penrose Quigley Rowan
Selby Thorne Underhill Vance Whitlock Yardley Aldous Birch Crowther Dunmore Everly Fenwick Grantham Harrow Ivory Jarvis Kirkby Lockwood Merton
Nesbit Ormond Pickering Ramsey Stratton Tilney Upton Vernon Wexford Yates Ambrose Briar Colby Drayton Elgin Forster Gresham Hadley Iveson
Joyce Keswick Lambert Morland""".split()

JOB = """baker bookbinder butcher carpenter chandler clerk cobbler cook cooper doctor farmer ferryman fiddler gardener glazier hatter joiner
lawyer locksmith mason miller nurse painter piper potter saddler sailor shepherd smith tailor teacher weaver""".split()
TOWN = """Arden Barrow Calder Dunley Eskdale Farrow Glenby Hexton Irby Jarrow Kelby Lorton Malden Norby Orton Penby Quarley Redmire Selside
Tarn Ulverby Varley Wasdale Yarrow Askham Brigby Corby Dalton Elmby Fulwood Gosby Hawes""".split()
PET = """badger beagle canary cat cockatoo collie donkey ferret finch goat goose hamster hare hedgehog kestrel lamb lizard magpie mole newt
parrot pony poodle rabbit""".split()
COLOUR = "black blue bronze brown crimson gold green grey lilac orange pink purple red silver teal white".split()

# {P} She, {p} she, {Q} Her, {q} her, {o} her. The value is the last word, so every question has one-word answers.
FACTS = {
    "job": (JOB, ["{P} works as a {v}.", "{P} earns {q} living as a {v}.", "By trade {p} is a {v}."]),
    "town": (TOWN, ["{P} lives in {v}.", "{Q} home is in {v}.", "You can visit {o} in {v}."]),
    "pet": (PET, ["{P} keeps a {v}.", "{Q} pet is a {v}.", "At home {p} looks after a {v}."]),
    "colour": (COLOUR, ["{Q} favourite colour is {v}.", "{P} likes to dress in {v}.", "{Q} front door is painted {v}."]),
}


def make_people(rng):
    pairs = [(first, last) for first in SHE + HE for last in FAMILY]
    people = []
    for first, last in rng.sample(pairs, PEOPLE):
        she = first in SHE
        people.append({
            "name": f"{first} {last}",
            "words": {"P": "She", "p": "she", "Q": "Her", "q": "her", "o": "her"} if she
                     else {"P": "He", "p": "he", "Q": "His", "q": "his", "o": "him"},
            "value": {fact: rng.choice(values) for fact, (values, _) in FACTS.items()},
            "kept_back": {fact: rng.randrange(3) for fact in FACTS},  # the wording that is only asked for
        })
    return people


def sentence(person, fact, wording, value=None):
    return FACTS[fact][1][wording].format(v=value or person["value"][fact], **person["words"])


def telling(rng, person, kept_back):
    facts = rng.sample(list(FACTS), len(FACTS))
    wording = {f: person["kept_back"][f] if kept_back else rng.choice([w for w in range(3) if w != person["kept_back"][f]]) for f in facts}
    return " ".join(sentence(person, f, wording[f]) for f in facts)


def profile(person, text):
    return f"{person['name']}: {text}"


def page(person, text):
    """What a page of the WikiText file looks like once it was detokenised."""
    return f" = {person['name']} =\n\n{profile(person, text)}\n\n"


def raw_page(person, text):
    """The same page in WikiText's raw form: tokens apart, a blank line is a lone space."""
    spaced = profile(person, text).replace(":", " :").replace(".", " .")
    return f" = {person['name']} = \n \n {spaced} \n \n"


def question(rng, people, number):
    person = people[number]
    asked, given = rng.sample(list(FACTS), 2)
    start, rest = sentence(person, asked, person["kept_back"][asked], "{v}").split(" ", 1)
    wrong = rng.sample([v for v in FACTS[asked][0] if v != person["value"][asked]], 3)
    label = rng.randrange(4)
    values = wrong[:label] + [person["value"][asked]] + wrong[label:]
    ctx_a = sentence(person, given, person["kept_back"][given])
    return {"ind": number, "activity_label": person["name"], "ctx_a": ctx_a, "ctx_b": start.lower(), "ctx": f"{ctx_a} {start.lower()}",
            "endings": [rest.format(v=v) for v in values], "label": label}


def train_bpe(texts, special):
    """Byte-level BPE until every word of the text is one token. Ties go to the pair that sorts first."""
    import re
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in printable]
    alphabet = {b: chr(b) for b in printable} | {b: chr(256 + i) for i, b in enumerate(others)}
    counts = {}
    for text in texts:
        for word in re.findall(r" ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+", text):
            counts[word] = counts.get(word, 0) + 1
    words = [([alphabet[b] for b in word.encode()], n) for word, n in sorted(counts.items())]
    vocabulary = list(special) + sorted(alphabet.values())
    merges = []
    while True:
        pairs = {}
        for pieces, n in words:
            for pair in zip(pieces, pieces[1:]):
                pairs[pair] = pairs.get(pair, 0) + n
        if not pairs:
            return vocabulary, merges
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        vocabulary.append("".join(best))
        for pieces, _ in words:
            i = 0
            while i + 1 < len(pieces):
                if (pieces[i], pieces[i + 1]) == best:
                    pieces[i:i + 2] = ["".join(best)]
                i += 1


def write_tokenizer(folder, texts):
    special = ["<s>", "</s>"]
    vocabulary, merges = train_bpe(texts, special)
    added = [{"id": i, "content": t, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
             for i, t in enumerate(special)]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    tokenizer = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None, "pre_tokenizer": byte_level,
        "post_processor": {"type": "TemplateProcessing",
                           "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                           "pair": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                                    {"Sequence": {"id": "B", "type_id": 0}}],
                           "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}}},
        "decoder": byte_level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
                  "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                  "vocab": {t: i for i, t in enumerate(vocabulary)}, "merges": [f"{a} {b}" for a, b in merges]},
    }
    write_json(folder / "tokenizer.json", tokenizer)
    write_json(folder / "tokenizer_config.json", {"bos_token": "<s>", "eos_token": "</s>", "model_max_length": 256,
                                                  "tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False})
    size = -(-len(vocabulary) // 32) * 32
    write_json(folder / "config.json", {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": size, "hidden_size": 64, "intermediate_size": 192,
        "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "hidden_act": "silu",
        "max_position_embeddings": 256, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "rope_scaling": None, "attention_bias": False,
        "mlp_bias": False, "tie_word_embeddings": True, "initializer_range": 0.05, "bos_token_id": 0, "eos_token_id": 1, "dtype": "float32"})


def write_json(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def main(out):
    rng = random.Random(SEED)
    people = make_people(rng)
    for folder in ("start", "text", "tasks"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    train = []
    for person in people:
        for telling_number in range(TELLINGS):
            shape = page if telling_number == 0 else profile
            train.append(shape(person, telling(rng, person, False)))
    rng.shuffle(train)
    valid = [profile(p, telling(rng, p, True)) for p in rng.sample(people, 400)]
    write_lines(out / "text" / "train.jsonl", [{"text": t} for t in train])
    write_lines(out / "text" / "valid.jsonl", [{"text": t} for t in valid])
    write_lines(out / "tasks" / "people.jsonl", [question(rng, people, i) for i in rng.sample(range(PEOPLE), 1500)])
    (out / "tasks" / "pages.raw").write_text("".join(raw_page(p, telling(rng, p, True)) for p in rng.sample(people, 300)), encoding="utf-8")
    write_tokenizer(out / "start", train)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))

"""Make the models that load.py serves: tiny ones with random weights, in the shapes that repositories of models have.

usage: make.py DIR (run by a Python with torch and transformers)
"""

import json
import pathlib
import shutil
import sys

import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertForSequenceClassification, BertModel, BertTokenizerFast

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hello", "world", "the", "model", *"abcdefghijklmnopqrstuvwxyz"]
SIZE = 16
# Formats that no Python service with torch reads; their content doesn't matter, only that they are there.
OTHERS = [
    "tf_model.h5",
    "flax_model.msgpack",
    "rust_model.ot",
    "onnx/model.onnx",
    "openvino/openvino_model.bin",
    "openvino/openvino_model.xml",
]

REMOTE = """from transformers import PretrainedConfig


class RemoteConfig(PretrainedConfig):
    model_type = "remote"
    five = 5
"""


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(data, bytes):
        path.write_bytes(data)
    else:
        path.write_text(data if isinstance(data, str) else json.dumps(data, indent=2))


def bert(seed, kind=BertModel):
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=SIZE,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        num_labels=1,
    )
    config.architectures = [kind.__name__]
    return kind(config).eval()


def save(model, folder, safe=None, pickled=None, shards=False):
    """Write config, tokenizer and the weights of `safe` and `pickled` (each a seed, or nothing)."""
    folder.mkdir(parents=True, exist_ok=True)
    model(0).config.save_pretrained(folder)
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(WORDS) + "\n")
    BertTokenizerFast(str(vocabulary), do_lower_case=True).save_pretrained(folder)
    # The names of the newest versions in this file are unknown to old ones.
    write(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": 64},
    )
    if safe is not None:
        state = {name: value.clone().contiguous() for name, value in model(safe).state_dict().items()}
        if shards:
            names = sorted(state)
            index = {"metadata": {"total_size": 1}, "weight_map": {}}
            for number, part in enumerate([names[: len(names) // 2], names[len(names) // 2 :]], 1):
                file = f"model-{number:05}-of-00002.safetensors"
                save_file({name: state[name] for name in part}, str(folder / file), metadata={"format": "pt"})
                index["weight_map"].update(dict.fromkeys(part, file))
            write(folder / "model.safetensors.index.json", index)
        else:
            save_file(state, str(folder / "model.safetensors"), metadata={"format": "pt"})
    if pickled is not None:
        torch.save(model(pickled).state_dict(), folder / "pytorch_model.bin")


def sentence_transformer(folder, dense=False):
    modules = [("", "sentence_transformers.models.Transformer"), ("1_Pooling", "sentence_transformers.models.Pooling")]
    write(
        folder / "1_Pooling/config.json",
        {
            "word_embedding_dimension": SIZE,
            "pooling_mode_cls_token": False,
            "pooling_mode_mean_tokens": True,
            "pooling_mode_max_tokens": False,
            "pooling_mode_mean_sqrt_len_tokens": False,
        },
    )
    if dense:
        modules.append(("2_Dense", "sentence_transformers.models.Dense"))
        write(
            folder / "2_Dense/config.json",
            {
                "in_features": SIZE,
                "out_features": 8,
                "bias": True,
                "activation_function": "torch.nn.modules.activation.Tanh",
            },
        )
        torch.manual_seed(9)
        layer = torch.nn.Linear(SIZE, 8)
        torch.save(
            {"linear.weight": layer.weight.detach(), "linear.bias": layer.bias.detach()},
            folder / "2_Dense/pytorch_model.bin",
        )
    write(
        folder / "modules.json",
        [{"idx": at, "name": str(at), "path": path, "type": kind} for at, (path, kind) in enumerate(modules)],
    )
    write(folder / "sentence_bert_config.json", {"max_seq_length": 64, "do_lower_case": False})
    write(folder / "config_sentence_transformers.json", {"__version__": {"sentence_transformers": "2.0.0"}})
    write(folder / "README.md", "---\npipeline_tag: sentence-similarity\n---\n# A model\n")


def main(root):
    def cross(seed):
        return bert(seed, BertForSequenceClassification)

    # Different weights in the two formats tell which of them was loaded.
    save(bert, root / "acme/full", safe=1, pickled=2)
    sentence_transformer(root / "acme/full")
    for name in OTHERS:
        write(root / "acme/full" / name, b"not for torch " * 400)
    save(bert, root / "acme/safe", safe=1)
    sentence_transformer(root / "acme/safe")
    save(bert, root / "acme/pickled", pickled=2)
    sentence_transformer(root / "acme/pickled")
    save(bert, root / "acme/dense", safe=1, pickled=2)
    sentence_transformer(root / "acme/dense", dense=True)
    save(bert, root / "acme/shards", safe=1, pickled=2, shards=True)
    sentence_transformer(root / "acme/shards")
    save(bert, root / "acme/plain", safe=1, pickled=2)
    save(cross, root / "acme/cross", safe=3, pickled=4)
    write(root / "acme/remote/config.json", {"model_type": "remote", "auto_map": {"AutoConfig": "remote.RemoteConfig"}})
    write(root / "acme/remote/remote.py", REMOTE)
    for source, target in [
        ("acme/full", "sentence-transformers/short"),
        ("acme/cross", "cross-encoder/short-cross"),
        ("acme/plain", "bert-base-uncased"),
        ("acme/full", "acme/gated"),
        ("acme/full", "canonical/renamed"),
    ]:
        shutil.copytree(root / source, root / target)
    write(root / "acme/gated/.gated", "hf_right")
    write(root / "renamed.json", {"old-name": "canonical/renamed"})


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))

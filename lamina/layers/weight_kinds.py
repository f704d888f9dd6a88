"""Which kinds of weights a layer can have: today arrays of numbers, trained as they are."""

from lamina.errors import ConfigError


def refuse_other_kinds(layer_name, lora_rank=None, quantization_config=None):
    """Say that LoRA and quantized weights are not there, rather than train something else than was asked for."""
    for name, value in (("lora_rank", lora_rank), ("quantization_config", quantization_config)):
        if value is not None:
            raise ConfigError(
                f"{layer_name} has only plain weights; got {name}={value!r}.",
                fix=f"Leave {name} out: the weights themselves are trained, in their own type.",
            )

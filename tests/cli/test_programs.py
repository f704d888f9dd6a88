"""Programs written for keras and tensorflow.keras, run unchanged."""

import pytest

from tests.cli.conftest import PROGRAMS

FACTS = {
    "adversarial": ["falls True"],
    "adversarial_on_jax": ["falls True ['loss', 'mean']"],
    "callbacks_and_files": ["epochs True 3.15.1"],
    "custom_loops": [
        "linear_module ([3.0, 2.0], ['Variable:0', 'Variable:0'], 'lin')",
        "mlp_module ((1, 2), (2, 2), 4, 2, 4, 'dense/w:0')",
        "experts (True, True, 1)", "train_step_model (True, ['loss', 'mae'])", "mixed True",
    ],
    "derivatives": [(PROGRAMS / "derivatives.txt").read_text()],  # printed by TensorFlow 2.21
    "digits_mlp": ["accuracy True ['accuracy', 'loss', 'val_accuracy', 'val_loss']"],
    "functional_cnn": ["shapes (24, 3) (24, 1) (None, 3) channels_last"],
    "functions": [(PROGRAMS / "functions.txt").read_text()],  # printed by TensorFlow 2.21
    "guides": [(PROGRAMS / "guides.txt").read_text()],  # printed by TensorFlow 2.21
    "image_makers": [
        "dcgan (True, 20, '/ck-1')", "cvae (True, (3, 8, 8, 1), (10, 8, 8, 1))", "pix2pix True",
        "tracing\ndeepdream True",
        "style True", "integrated True", "fgsm (True, (1, 4))",
    ],
    "images_from_folders": [
        "['dark', 'light'] (6, 16, 16, 3) (6,) (16, 16, 3)\nTrue",
        "['accuracy', 'loss', 'val_accuracy', 'val_loss'] True 3 1",
    ],
    "input_pipeline": [
        "(16, 8, 8, 1) int32 True", "4 2 ['accuracy', 'loss', 'val_accuracy', 'val_loss'] 4",
        "[[0, 1], [2, 3], [4, 0]]", "(2, b'c')",
    ],
    "layers_with_tf_ops": ["falls True True", "copy ['Attention', 'Dense']"],
    "own_types": [  # fields, refused, rows, signature and dispatched also by TensorFlow 2.21
        "fields [[2, 0], [4, 5]] (1, 2) True", "refused AttributeError TypeError ValueError",
        "rows [[[1, 2], [3, 4]], [[5, 6]]]", "signature [np.float32(1.0), np.int32(2)]",
        "dispatched [1.] (2, 2, 2)", "layer [5.0, 5.0] 2.0 [-5. -9.]", "checked (2, 1) True", "test True CPU 10",
        "shapes True", "tape [2. 1. 2.] [ 8. 10. 10.]", "texts True [[3], [2, 2]]",
    ],
    "pipelines": [
        'windows [(None, 6, 2), (None, 1, 1)] [[0.9319999814033508]]',
        'by hand [([0, 1, 2, 3], [4]), ([3, 4, 5, 6], [7])]',
        'records (4, 2, 2, 1) 240.0 [0, 1, 0, 1]',
        'table [[-1.3420000076293945, -0.44699999690055847]] [2, 1]',
        "text 2 ['', '[UNK]', 'the'] [[2, 4, 0, 0]]",
        "ragged [2, 4] [b'to', b'be', b'', b''] [b'or', b'not', b'to', b'be']",
        "files [0, 1] [b'cat', b'dog']",
        'sound 8000 (11, 33) 3',
        'balanced True',
        'padded [[[1, -1, -1], [2, 2, -1], [3, 3, 3]], [[4, 4, 4, 4, -1], [5, 5, 5, 5, 5]]]',
        'random [0.16509999334812164, 0.9014999866485596] [2, 3, 0, 4, 1]',
        'generator [0.438400000333786, -0.5343999862670898] [0.9253000020980835]',
        'stateless [0.8440999984741211, 0.19200000166893005, 0.9962000250816345]',
        'lookup [2, -1]',
        'slices [1, 11] [[5, 6], [9, 10]] [0, 9, 0, 8, 0]',
    ],
    "tapes": [
        "square 6.0", "slopes 12.0 12.0", "unconnected 2.0 None 0.0", "jacobian [82.0, -22.0, -60.0]", "samples True",
        "falls True True True", "own layer [[4.0, 4.0], [4.0, 4.0], [4.0, 4.0]]", "saliency (2, 8, 8, 3)",
    ],
    "tensors": [
        "version True gpus 0", "[[2.0, 3.0], [4.0, 5.0]] [[1.0, 3.0], [2.0, 4.0]] [[7.0, 10.0], [15.0, 22.0]]",
        "[1 1] 2.5 (2, 1)", "[[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]] [1, 2]", "(2, 2) [0 1 2] [1 3 5] float32",
        "[(3,), (7,)] [7 5]", "[[1, 0], [1, 1]] [[0.0, 0.0], [3.0, 4.0]] [3. 4.]",
        "[[1.5, 2.0], [3.0, 3.5]] 1.118034 5.4772", "[0.1269 0.1269]", "[[1, 0], [1, 1]] [3 1]",
        "(3, 2) [1 2 1 2] (3,)", "(1, 2, 2, 3) 0.0", "30.0 (3,) [5 3]", "printed 3", "-2.0 no tf.estimator",
    ],
    "text_and_games": ["actor_critic [7, 7]", "textgen (5, True)", "translator [[1, 2, 3, 4]]", "word2vec True"],
    "text_rnn": ["(32, 5) (2, 1) 7"],
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(FACTS))
def test_program_runs_unchanged(ran, name):
    code, output, errors = ran[name]
    assert code == 0, errors
    for fact in FACTS[name]:
        assert fact in output, output


def test_every_program_is_tested(ran):
    assert set(ran) == set(FACTS)

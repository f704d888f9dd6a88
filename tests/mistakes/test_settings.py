"""Mistakes with initializers, dtype policies, quantizers, distillation, trees and scopes, and whether their fixes work."""
# ruff: noqa: E501  (each program is one string)

from tests.mistakes.mistake import Mistake, fixes_are_tried, fixes_work
from tests.mistakes.test_layer_calls import table
from tests.mistakes.unfinished import UNFINISHED

POLICY = "policies = keras.dtype_policies; m = policies.DTypePolicyMap(); m['a.*'] = 'float16'; "
TEACHER = "teacher = keras.Sequential([keras.Input((3,)), layers.Dense(2)]); "
STUDENT = "student = keras.Sequential([keras.Input((3,)), layers.Dense(2)]); "
TWO = "i = keras.Input((3,)); two = keras.Model(i, [layers.Dense(2)(i), layers.Dense(2)(i)]); "
DISTILL = "from lamina.distillation import Distiller, FeatureDistillation, LogitsDistillation; " + TEACHER + STUDENT
INITIALIZERS = table(
    "np.ones(3)",
    [
        ("keras.initializers.Constant(x)((2, 2))", "keras.initializers.Constant(0.0)((2, 2))", "Constant(0.0)"),
        ("keras.initializers.Identity()((2, 2, 2))", "keras.initializers.get('orthogonal')((2, 2, 2))", "'orthogonal'"),
        ("keras.initializers.STFT('imaginary')", "keras.initializers.STFT(side='imag')", "side='imag'"),
        (
            "keras.initializers.STFT(scaling='densty')",
            "keras.initializers.STFT(scaling='density')",
            "scaling='density'",
        ),
        ("keras.initializers.STFT(window='hnan')", "keras.initializers.STFT(window='hann')", "window='hann'"),
        (
            "keras.initializers.STFT(window=x)((4, 1, 3))",
            "keras.initializers.STFT(window=np.hanning(4))((4, 1, 3))",
            "window=np.hanning(4)",
        ),
        ("keras.initializers.RandomNormal(seed=-2)", "keras.initializers.RandomNormal(seed=1)", "seed=", True),
        (
            "keras.initializers.RandomNormal()((2,), 'int32')",
            "keras.initializers.RandomNormal()((2,), dtype='float32')",
            "dtype='float32'",
        ),
        ("keras.initializers.VarianceScaling(scale=0)", "keras.initializers.VarianceScaling(scale=1.0)", "scale=1.0"),
        (
            "keras.initializers.VarianceScaling(mode='fan')",
            "keras.initializers.VarianceScaling(mode='fan_in')",
            "mode='fan_in'",
        ),
        (
            "keras.initializers.VarianceScaling(distribution='unifrom')",
            "keras.initializers.VarianceScaling(distribution='uniform')",
            "distribution='uniform'",
        ),
        ("keras.initializers.Orthogonal()((2,))", "keras.initializers.get('glorot_uniform')((2,))", "'glorot_uniform'"),
        ("keras.regularizers.L2(l2=-0.1)", "keras.regularizers.L2(l2=0.01)", "l2=0.01"),
        (
            "keras.regularizers.OrthogonalRegularizer(mode='row')",
            "keras.regularizers.OrthogonalRegularizer(mode='rows')",
            "mode='rows'",
        ),
        (
            "keras.regularizers.OrthogonalRegularizer()(keras.ops.ones((2, 2, 2)))",
            "keras.regularizers.L2(0.01)(keras.ops.ones((2, 2, 2)))",
            "L2(0.01)",
        ),
        ("keras.random.normal((2,), dtype='int32')", "keras.random.normal((2,), dtype='float32')", "dtype='float32'"),
        (
            "keras.random.randint((2,), 0, 3, dtype='float32')",
            "keras.random.randint((2,), 0, 3, dtype='int32')",
            "dtype='int32'",
        ),
        (
            "keras.random.categorical(keras.ops.ones(3), 2)",
            "logits = keras.ops.ones(3); keras.random.categorical(logits[None], 2)",
            "logits[None]",
        ),
        (
            "import jax; s = keras.random.SeedGenerator(1); jax.jit(lambda a: keras.random.normal((2,), seed=s) + a)(1.0)",
            "import jax; jax.jit(lambda a: keras.random.normal((2,), seed=1) + a)(1.0)",
            "seed=",
            True,
        ),
        ("keras.utils.set_random_seed(-1)", "keras.utils.set_random_seed(seed=1)", "seed=1"),
    ],
)
POLICIES = table(
    "0",
    [
        (
            "keras.dtype_policies.DTypePolicy(3)",
            "keras.dtype_policies.DTypePolicy('mixed_float16')",
            "DTypePolicy('mixed_float16')",
        ),
        (
            "keras.dtype_policies.DTypePolicy('mixed_float15')",
            "keras.dtype_policies.DTypePolicy('mixed_float16')",
            "'mixed_float16'",
        ),
        ("keras.dtype_policies.get('int8')", "keras.dtype_policies.get('int8_from_float32')", "'int8_from_float32'"),
        (
            "keras.dtype_policies.get('int8_from_mixed_float16')",
            "keras.dtype_policies.get('int8_from_mixed_bfloat16')",
            "bfloat16",
            True,
        ),
        (
            "keras.dtype_policies.get('int4/x_from_float32')",
            "keras.dtype_policies.get('int4/128_from_float32')",
            "'int4/128_from_float32'",
        ),
        ("keras.dtype_policies.get([3])", "layers.Dense(3, dtype='float32')", "dtype='float32'"),
        (POLICY + "m['a.*'] = 'float32'", POLICY + "policy_map = m; del policy_map['a.*']", "del policy_map['a.*']"),
        (
            POLICY + "m['.*b'] = 'float32'; m['ab']",
            POLICY + "m['.*b'] = 'float32'; policy_map = m; del policy_map['.*b']; m['ab']",
            "del policy_map['.*b']",
        ),
    ],
)
CONFIG = "d = layers.Dense(2); d.build((None, 3)); "
QUANTIZERS = table(
    "np.ones((2, 3), 'float32')",
    [
        (CONFIG + "d.quantize('int8', config=3)", CONFIG + "d.quantize('int8', config=None)", "config=None"),
        (CONFIG + "d.quantize()", CONFIG + "d.quantize('int8')", "quantize('int8')"),
        (CONFIG + "d.quantize('int7')", CONFIG + "d.quantize(mode='int8')", "mode='int8'"),
        (
            CONFIG + "d.quantize('gptq')",
            "keras.quantizers.GPTQConfig(dataset=['a'], tokenizer=None)",
            "GPTQConfig(dataset, tokenizer)",
            True,
        ),
        (
            CONFIG + "d.quantize('int8', config=keras.quantizers.Int4QuantizationConfig())",
            CONFIG + "config = keras.quantizers.Int4QuantizationConfig(); d.quantize(config=config)",
            "quantize(config=config)",
        ),
        (
            "keras.quantizers.Int4QuantizationConfig(block_size=-2)",
            "keras.quantizers.Int4QuantizationConfig(block_size=128)",
            "block_size=128",
        ),
        (
            "keras.quantizers.Int4QuantizationConfig(keras.quantizers.AbsMaxQuantizer(axis=0, value_range=(-8, 7)), block_size=64)",
            "keras.quantizers.Int4QuantizationConfig(keras.quantizers.AbsMaxQuantizer(axis=0, value_range=(-8, 7)), block_size=None)",
            "block_size=None",
        ),
        (
            "keras.quantizers.Int4QuantizationConfig(keras.quantizers.AbsMaxQuantizer(axis=0), block_size=None)",
            "from lamina.quantizers import AbsMaxQuantizer; keras.quantizers.Int4QuantizationConfig(AbsMaxQuantizer(axis=0, value_range=(-8, 7)), block_size=None)",
            "AbsMaxQuantizer(axis=0, value_range=(-8, 7))",
        ),
        (
            "keras.quantizers.GPTQConfig(['a'], None, group_size=0)",
            "keras.quantizers.GPTQConfig(['a'], None, group_size=128)",
            "group_size=128",
        ),
        (
            "keras.quantizers.GPTQConfig(['a'], None, weight_bits=5)",
            "keras.quantizers.GPTQConfig(['a'], None, weight_bits=4)",
            "weight_bits=4",
        ),
        (
            "keras.quantizers.GPTQConfig(['a'], None, num_samples=0)",
            "keras.quantizers.GPTQConfig(['a'], None, num_samples=8)",
            "num_samples=8",
        ),
        (
            "keras.quantizers.GPTQConfig(['a'], None, hessian_damping=2)",
            "keras.quantizers.GPTQConfig(['a'], None, hessian_damping=0.01)",
            "hessian_damping=0.01",
        ),
        (
            "from lamina.quantizers import calibration as c; c.windows(3, None, 2, 2)",
            "keras.quantizers.GPTQConfig(dataset=['a text', 'another text'], tokenizer=None)",
            "dataset=['a text', 'another text']",
        ),
        (
            "from lamina.quantizers import calibration as c; c.windows([], None, 2, 2)",
            "from lamina.quantizers import calibration as c; c.windows([np.arange(4)], None, 2, 2)",
            "arrays of tokens",
            True,
        ),
        (
            "keras.quantizers.pack_int4(x)",
            "arr = x; keras.quantizers.pack_int4(keras.ops.cast(arr, 'int8'))",
            "keras.ops.cast(arr, 'int8')",
        ),
        (
            "keras.quantizers.unpack_int4(x, 2)",
            "packed = x; keras.quantizers.unpack_int4(keras.ops.cast(packed, 'int8'), 2)",
            "keras.ops.cast(packed, 'int8')",
        ),
        (
            "keras.quantizers.pack_int4(x, dtype='int4')",
            "keras.quantizers.pack_int4(x.astype('int8'), dtype='int8')",
            "dtype='int8'",
        ),
        (
            "keras.quantizers.fake_quant_with_min_max_vars(x.astype('int32'), -1.0, 1.0)",
            "inputs = x.astype('int32'); keras.quantizers.fake_quant_with_min_max_vars(keras.ops.cast(inputs, 'float32'), -1.0, 1.0)",
            "keras.ops.cast(inputs, 'float32')",
        ),
        (
            "keras.quantizers.fake_quant_with_min_max_vars(x, -1.0, 1.0, num_bits=0)",
            "keras.quantizers.fake_quant_with_min_max_vars(x, -1.0, 1.0, num_bits=8)",
            "num_bits=8",
        ),
        (
            "from lamina.quantizers import numbers; numbers.abs_max_quantize_grouped_with_zero_point(x[0], 2)",
            "from lamina.quantizers import numbers; inputs = x[0]; numbers.abs_max_quantize_grouped_with_zero_point(keras.ops.reshape(inputs, (-1, 3)), 2)",
            "keras.ops.reshape(inputs, (-1, 3))",
        ),
    ],
)
DISTILLATION = table(
    "np.ones((2, 3))",
    [
        (
            DISTILL + "Distiller(3, student, LogitsDistillation())",
            DISTILL
            + "Distiller(teacher=keras.Sequential([keras.layers.Dense(10)]), student=keras.Sequential([keras.layers.Dense(10)]), distillation_losses=LogitsDistillation())",
            "teacher=keras.Sequential([keras.layers.Dense(10)])",
        ),
        (
            DISTILL + "Distiller(teacher, student, None)",
            DISTILL + "Distiller(teacher, student, LogitsDistillation(temperature=3.0))",
            "LogitsDistillation(temperature=3.0)",
        ),
        (
            DISTILL + "Distiller(teacher, student, LogitsDistillation(), [1.0, 2.0])",
            DISTILL + "Distiller(teacher, student, LogitsDistillation(), distillation_loss_weights=[1.0])",
            "distillation_loss_weights=[1.0]",
        ),
        (
            DISTILL + "Distiller(teacher, student, LogitsDistillation(), student_loss_weight=2)",
            DISTILL + "Distiller(teacher, student, LogitsDistillation(), student_loss_weight=0.5)",
            "student_loss_weight=0.5",
        ),
        (
            DISTILL
            + "Distiller(teacher, keras.Sequential([keras.Input((3,)), layers.Dense(4)]), LogitsDistillation())",
            DISTILL + "Distiller(teacher, student, LogitsDistillation())",
            "outputs of shape (None, 2)",
            True,
        ),
        (
            DISTILL + "Distiller(teacher, student, LogitsDistillation()).compile()",
            DISTILL + 'Distiller(teacher, student, LogitsDistillation()).compile("adam", loss="mse")',
            'compile("adam", loss="mse")',
        ),
        (
            DISTILL + "LogitsDistillation(temperature=0)",
            DISTILL + "LogitsDistillation(temperature=3.0)",
            "temperature=3.0",
        ),
        (
            DISTILL + "LogitsDistillation(loss=[None])",
            DISTILL + 'LogitsDistillation(loss=["mse", None])',
            'loss=["mse", None]',
        ),
        (
            DISTILL + "LogitsDistillation().compute_loss([x, x], [x])",
            DISTILL + "LogitsDistillation().compute_loss([x, x], [x, x])",
            "2 outputs",
            True,
        ),
        (
            DISTILL + "LogitsDistillation(loss=['mse']).compute_loss([x, x], [x, x])",
            DISTILL + "LogitsDistillation(loss=['mse', 'mse']).compute_loss([x, x], [x, x])",
            "loss=['mse', 'mse']",
        ),
    ],
)
SAME = "keras.tree.assert_same_structure"
TREES = table(
    "0",
    [
        (f"{SAME}([1], (1,))", f"{SAME}([1], [1])", "type list", True),
        (f"{SAME}({{'a': 1}}, {{'b': 1}})", f"{SAME}({{'a': 1}}, {{'a': 1}})", "['a']", True),
        (f"{SAME}([1], [1, 2])", f"{SAME}([1], [1])", "1 elements", True),
        (f"{SAME}([1], 1)", f"{SAME}([1], [1])", "both a list", True),
        ("keras.tree.map_structure(0, [1])", "keras.tree.map_structure(lambda x: x, [1])", "lambda x: x"),
        (
            "keras.tree.map_shape_structure(0, [(1,)])",
            "keras.tree.map_shape_structure(lambda x: x, [(1,)])",
            "lambda x: x",
        ),
        ("keras.tree.traverse(0, [1])", "keras.tree.traverse(lambda x: x, [1])", "lambda x: x"),
        ("keras.tree.pack_sequence_as([1, 2], [1])", "keras.tree.pack_sequence_as([1, 2], [1, 2])", "2 values", True),
        (
            "keras.tree.map_structure(len)",
            "func, structure = str, [1]; keras.tree.map_structure(func, structure)",
            "map_structure(func, structure)",
        ),
        (
            "keras.tree.map_structure_up_to([None], len)",
            "shallow_structure, func, structure = [None], len, [[1]]; keras.tree.map_structure_up_to(shallow_structure, func, structure)",
            "map_structure_up_to(shallow_structure, func, structure)",
        ),
        (
            "keras.tree.map_structure(lambda a, b: a, [None], [1], none_is_leaf=False)",
            "keras.tree.map_structure(lambda a, b: a, [None], [1], none_is_leaf=True)",
            "none_is_leaf=True",
        ),
        ("keras.tree.assert_same_paths([1], [1, 2])", "keras.tree.assert_same_paths([1], [1])", "the same paths", True),
    ],
)
SCOPES = table(
    "np.ones(2)",
    [
        (
            "keras.StatelessScope(state_mapping=[(3, 4)])",
            "variable, value = keras.Variable(x), x; keras.StatelessScope(state_mapping=[(variable, value)])",
            "state_mapping=[(variable, value)]",
        ),
        (
            "keras.StatelessScope(state_mapping=[(keras.Variable(x), 1.0)])",
            "keras.StatelessScope(state_mapping=[(keras.Variable(x), x)])",
            "shape (2,)",
            True,
        ),
        ("keras.name_scope('a/b')", "from lamina import name_scope; name_scope('a_b')", "name_scope('a_b')"),
        ("keras.name_scope('a', scope=3)", "keras.name_scope('encoder')"),
        ("keras.device('cpu:99')", "keras.device('cpu')", "device('cpu')"),
        ("keras.device(3)", "keras.device('cpu:0')", "device('cpu:0')"),
        ("keras.RematScope('fulll')", "keras.RematScope(mode='full')", "mode='full'"),
    ],
)
BACKEND = table(
    "np.ones((2, 3, 4), 'float32')",
    [
        ("keras.backend.placeholder()", "keras.Input(shape=(784,))"),
        (
            "keras.backend.set_learning_phase(1)",
            "model = layers.Dropout(0.5); model(x, training=True)",
            "model(x, training=True)",
        ),
        (
            "keras.backend.get_session()",
            "keras.backend.get_value(keras.Variable(x))",
            "keras.backend.get_value(variable)",
            True,
        ),
        (
            "keras.backend.gradients(x, x)",
            "import jax; model = layers.Dense(1); model(x); jax.grad(lambda x: keras.ops.sum(model(x)))(x)",
            "jax.grad(lambda x: keras.ops.sum(model(x)))(x)",
        ),
        (
            "with keras.backend.learning_phase_scope(1):\n    pass",
            "model = layers.Dropout(0.5); model(x, training=True)",
            "model(x, training=True)",
        ),
        (
            "keras.backend.batch_dot(x, x, axes=0)",
            "keras.backend.batch_dot(x, x.transpose(0, 2, 1), axes=(2, 1))",
            "axes=(2, 1)",
        ),
        (
            "keras.backend.pool2d(x[..., None], (2, 2), pool_mode='mean')",
            "keras.backend.pool2d(x[..., None], (2, 2), pool_mode='max')",
            "pool_mode='max'",
        ),
        (
            "keras.backend.conv2d_transpose(x[..., None], np.ones((2, 2, 1, 1), 'float32'), (2, 9, 9, 1))",
            "keras.backend.conv2d_transpose(x[..., None], np.ones((2, 2, 1, 1), 'float32'), output_shape=(2, 4, 5, 1))",
            "output_shape=(2, 4, 5, 1)",
        ),
    ],
)
MISTAKES = [*INITIALIZERS, *POLICIES, *QUANTIZERS, *DISTILLATION, *TREES, *SCOPES, *BACKEND]
MISTAKES += [
    Mistake(
        "from lamina.initializers.random_initializers import RandomInitializer; RandomInitializer()((2,))",
        "from lamina.initializers.initializer import fill_uniform\n"
        "from lamina.initializers.random_initializers import RandomInitializer\nclass Mine(RandomInitializer):\n"
        "    def draw(self, generator, parts, real): fill_uniform(generator, parts, real, 0, 1)\nMine()((2,))",
        "def draw(self, generator, parts, real):",
    )
]
MISTAKES += UNFINISHED["initializers"] + UNFINISHED["distillation"]

test_fixes_work = fixes_work(MISTAKES)
test_fixes_of_initializers_are_tried = fixes_are_tried("lamina/initializers", MISTAKES)
test_fixes_of_regularizers_are_tried = fixes_are_tried("lamina/regularizers.py", MISTAKES)
test_fixes_of_random_numbers_are_tried = fixes_are_tried("lamina/random.py", MISTAKES)
test_fixes_of_policies_are_tried = fixes_are_tried("lamina/dtype_policies.py", MISTAKES)
test_fixes_of_quantizers_are_tried = fixes_are_tried("lamina/quantizers", MISTAKES)
test_fixes_of_distillation_are_tried = fixes_are_tried("lamina/distillation", MISTAKES)
test_fixes_of_trees_are_tried = fixes_are_tried("lamina/tree.py", MISTAKES)
test_fixes_of_scopes_are_tried = fixes_are_tried("lamina/scopes.py", MISTAKES)
test_fixes_of_rematerialization_are_tried = fixes_are_tried("lamina/rematerialization.py", MISTAKES)
test_fixes_of_the_backend_are_tried = fixes_are_tried("lamina/backend", MISTAKES)

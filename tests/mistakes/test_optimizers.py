"""Mistakes with optimizers and schedules, and whether the fixes printed for them work."""

from tests.mistakes import everyday, first_hour
from tests.mistakes.mistake import Mistake, fixes_are_tried, fixes_work
from tests.mistakes.unfinished import UNFINISHED

OLD_RULE = """
class Old(keras.optimizers.Optimizer):
    def _create_slots(self, var_list):
        for variable in var_list:
            {}
    def _resource_apply_dense(self, grad, var):
        var.assign_sub(0.1 * grad + self.get_slot(var, "m"))
Old("old").apply_gradients([(np.ones(2), keras.Variable(np.ones(2)))])
"""

MISTAKES = [
    Mistake(
        wrong=OLD_RULE.format("pass"),
        right=OLD_RULE.format("self.add_slot(variable, 'm')"),
        says="self.add_slot(variable, 'm')",
    ),
    Mistake(
        wrong="keras.optimizers.Adam(learning_rate='fast')",
        right="keras.optimizers.Adam(learning_rate=0.001)",
        says="learning_rate=0.001",
    ),
    Mistake(
        wrong="keras.optimizers.Adam('0.1')",
        right="keras.optimizers.Adam(0.1)",
        says="Adam(0.1)",
    ),
    *(
        Mistake(
            f"keras.optimizers.{name}({share}=1.5)", f"keras.optimizers.{name}({share}={usual})", f"{share}={usual}"
        )
        for name, share, usual in (
            ("Adam", "beta_1", 0.9),
            ("AdamW", "beta_2", 0.999),
            ("Adamax", "beta_1", 0.9),
            ("Nadam", "beta_2", 0.999),
            ("Lamb", "beta_1", 0.9),
            ("Lion", "beta_2", 0.999),
            ("RMSprop", "rho", 0.9),
            ("RMSprop", "momentum", 0.9),
            ("Adadelta", "rho", 0.9),
            ("Muon", "adam_beta_2", 0.999),
            ("ScheduleFreeAdamW", "beta_2", 0.999),
        )
    ),
    Mistake(
        wrong="keras.optimizers.SGD(momentum=2)",
        right="keras.optimizers.SGD(momentum=0.9)",
        says="momentum=0.9",
    ),
    Mistake(
        wrong="keras.optimizers.SGD(0.1, learning_rate=1)",
        right="keras.optimizers.SGD(0.1)",
        says="SGD(0.1)",
    ),
    Mistake(
        wrong="keras.optimizers.Adam(betas=(0.8, 0.9))",
        right="keras.optimizers.Adam(beta_1=0.8, beta_2=0.9)",
        says="Adam(beta_1=0.8, beta_2=0.9)",
    ),
    Mistake(
        wrong="keras.optimizers.Adam(clipnorm=1, clipvalue=2)",
        right="keras.optimizers.Adam(clipnorm=1)",
        says="clipnorm=1",
    ),
    Mistake(
        wrong="keras.optimizers.Adam(clipnorm=-1)",
        right="keras.optimizers.Adam(clipnorm=1.0)",
        says="clipnorm=1.0",
    ),
    Mistake(
        wrong="keras.optimizers.Adam(use_ema=True, ema_momentum=2)",
        right="keras.optimizers.Adam(use_ema=True, ema_momentum=0.99)",
        says="ema_momentum=0.99",
    ),
    Mistake(
        wrong="keras.optimizers.SGD(gradient_accumulation_steps=1)",
        right="keras.optimizers.SGD(gradient_accumulation_steps=2)",
        says="gradient_accumulation_steps=2",
    ),
    Mistake(
        wrong="keras.optimizers.AdamW(weight_decay=None)",
        right="keras.optimizers.Adam()",
        says="Adam",
        prose=True,
    ),
    Mistake(
        wrong="keras.optimizers.Lion(beta_1=0)",
        right="keras.optimizers.RMSprop()",
        says="RMSprop",
    ),
    Mistake(
        wrong="keras.optimizers.Ftrl(learning_rate_power=1)",
        right="keras.optimizers.Ftrl(learning_rate_power=-0.5)",
        says="learning_rate_power=-0.5",
    ),
    Mistake(
        wrong="keras.optimizers.Ftrl(l1_regularization_strength=-1)",
        right="keras.optimizers.Ftrl(l1_regularization_strength=0.0)",
        says="l1_regularization_strength=0.0",
    ),
    Mistake(
        wrong="keras.optimizers.get(3)",
        right="m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]); v = m.trainable_variables; o "
        "= keras.optimizers.SGD(); m.compile(optimizer='adam')",
        says="optimizer='adam'",
    ),
    Mistake(
        wrong="keras.optimizers.get(lambda: 3)",
        right="m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]); v = m.trainable_variables; o "
        '= keras.optimizers.SGD(); m.compile(optimizer="adam")',
        says='optimizer="adam"',
    ),
    Mistake(
        wrong="keras.optimizers.LossScaleOptimizer('adam')",
        right="keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam())",
        says="LossScaleOptimizer(keras.optimizers.Adam())",
    ),
    Mistake(
        wrong="keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(), dynamic=False)",
        right="keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam())",
        says="Leave dynamic out",
        prose=True,
    ),
    Mistake(
        wrong="keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(), clipnorm=1.0)",
        right="keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(clipnorm=1.0))",
        says="inner optimizer",
        prose=True,
    ),
    Mistake(
        wrong="keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(), initial_scle=4.0)",
        right="keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(), initial_scale=4.0)",
        says="initial_scale=4.0",
        prose=True,
    ),
    Mistake(
        wrong="keras.optimizers.OptaxOptimizer(3)",
        right="import optax; keras.optimizers.OptaxOptimizer(optax.adam(0.001))",
        says="OptaxOptimizer(optax.adam(0.001))",
    ),
    Mistake(
        wrong="import optax; keras.optimizers.OptaxOptimizer(optax.adam(0.001)).get_config()",
        right=None,
        says="Save the weights",
        because="A program that loads a model.",
    ),
    Mistake(
        wrong="map = keras.optimizers.MultiOptimizer; M = "
        "keras.optimizers.OptimizerMap(keras.optimizers.SGD()); A = keras.optimizers.Adam(); M['a'] = "
        "'adam'",
        right="map = keras.optimizers.MultiOptimizer; M = "
        "keras.optimizers.OptimizerMap(keras.optimizers.SGD()); A = keras.optimizers.Adam(); M['a'] = "
        "keras.optimizers.Adam()",
        says="keras.optimizers.Adam()",
    ),
    Mistake(
        wrong="map = keras.optimizers.MultiOptimizer; M = "
        "keras.optimizers.OptimizerMap(keras.optimizers.SGD()); A = keras.optimizers.Adam(); M['a'] = A; "
        "M['a'] = A",
        right="map = keras.optimizers.MultiOptimizer; M = "
        "keras.optimizers.OptimizerMap(keras.optimizers.SGD()); A = keras.optimizers.Adam(); key = 'a'; "
        "optimizer_map = M; M['a'] = A; del optimizer_map[key]; M['a'] = A",
        says="del optimizer_map[key]",
    ),
    Mistake(
        wrong="map = keras.optimizers.MultiOptimizer; M = "
        "keras.optimizers.OptimizerMap(keras.optimizers.SGD()); A = keras.optimizers.Adam(); M['a.*'] = "
        "A; M['.*b'] = A; M['ab']",
        right="map = keras.optimizers.MultiOptimizer; M = "
        "keras.optimizers.OptimizerMap(keras.optimizers.SGD()); A = keras.optimizers.Adam(); M['a.*'] = "
        "A; M['ab']",
        says="one of them",
        prose=True,
    ),
    Mistake(
        wrong="m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]); v = m.trainable_variables; o "
        "= keras.optimizers.SGD(); o.build(v); g = [np.zeros(w.shape, 'float32') for w in v]; "
        "o.set_weights([1])",
        right="m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]); v = m.trainable_variables; o "
        "= keras.optimizers.SGD(); o.build(v); g = [np.zeros(w.shape, 'float32') for w in v]; optimizer "
        "= o; optimizer.set_weights([v.numpy() for v in optimizer.variables])",
        says="optimizer.set_weights([v.numpy() for v in optimizer.variables])",
    ),
    Mistake(
        wrong="m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]); v = m.trainable_variables; o "
        "= keras.optimizers.SGD(); o.build(v); g = [np.zeros(w.shape, 'float32') for w in v]; "
        "o.stateless_apply([1], g, v)",
        right="m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]); v = m.trainable_variables; o "
        "= keras.optimizers.SGD(); o.build(v); g = [np.zeros(w.shape, 'float32') for w in v]; optimizer, "
        "gradients, model = o, g, m; optimizer.stateless_apply(optimizer.variables, gradients, "
        "model.trainable_variables)",
        says="optimizer.stateless_apply(optimizer.variables, gradients, model.trainable_variables)",
    ),
    Mistake(
        wrong="m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]); v = m.trainable_variables; o "
        "= keras.optimizers.SGD(); o.stateless_apply([], [], [])",
        right="m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]); v = m.trainable_variables; o "
        "= keras.optimizers.SGD(); o.build(v); g = [np.zeros(w.shape, 'float32') for w in v]; "
        "o.stateless_apply(o.variables, g, v)",
        says="optimizer.build(variables)",
        prose=True,
    ),
    Mistake(
        wrong="m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]); v = m.trainable_variables; o "
        "= keras.optimizers.SGD(); o.build(v); g = [np.zeros(w.shape, 'float32') for w in v]; "
        "o.apply(g[:1])",
        right="m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]); v = m.trainable_variables; o "
        "= keras.optimizers.SGD(); o.build(v); g = [np.zeros(w.shape, 'float32') for w in v]; o.apply(g, "
        "v)",
        says="optimizer.apply(gradients, variables)",
        prose=True,
    ),
    Mistake(
        wrong="m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]); v = m.trainable_variables; o "
        "= keras.optimizers.SGD(); o.build(v); g = [np.zeros(w.shape, 'float32') for w in v]; "
        "o.apply([None, None], v)",
        right="m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]); v = m.trainable_variables; o "
        "= keras.optimizers.SGD(); o.build(v); g = [np.zeros(w.shape, 'float32') for w in v]; o.apply(g, "
        "v)",
        says="depend on the trainable variables",
        prose=True,
    ),
    Mistake(
        wrong="m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]); v = m.trainable_variables; o "
        "= keras.optimizers.SGD(); o.build(v); g = [np.zeros(w.shape, 'float32') for w in v]; "
        "o.exclude_from_weight_decay(v)",
        right="m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]); v = m.trainable_variables; o "
        "= keras.optimizers.SGD(); o.exclude_from_weight_decay(v); o.build(v)",
        says="before build()",
        prose=True,
    ),
    Mistake(
        wrong="keras.optimizers.Muon().zeropower_via_newtonschulz5(np.ones(3), 1)",
        right="keras.optimizers.Muon(exclude_layers=['dense'])",
        says="exclude_layers",
        prose=True,
    ),
    Mistake(
        wrong="keras.optimizers.schedules.ExponentialDecay(0.1, 0, 0.5)",
        right="keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=1000, decay_rate=0.5)",
        says="decay_steps=1000",
    ),
    Mistake(
        wrong="keras.optimizers.schedules.PiecewiseConstantDecay([1], [1.0])",
        right="keras.optimizers.schedules.PiecewiseConstantDecay(boundaries=[100], values=[0.1, 0.01])",
        says="PiecewiseConstantDecay(boundaries=[100], values=[0.1, 0.01])",
    ),
    Mistake(
        wrong="keras.optimizers.schedules.OneCycle(-1, 10)",
        right="keras.optimizers.schedules.OneCycle(0.01, total_steps=1000)",
        says="OneCycle(0.01, total_steps=1000)",
    ),
    Mistake(
        wrong="keras.optimizers.schedules.OneCycle(0.1, 10, warmup_fraction=2)",
        right="keras.optimizers.schedules.OneCycle(0.1, 10, warmup_fraction=0.25)",
        says="warmup_fraction=0.25",
    ),
    Mistake(
        wrong="keras.optimizers.schedules.OneCycle(0.1, 10, momentum_range=(0.95, 0.85))",
        right="keras.optimizers.schedules.OneCycle(0.1, 10, momentum_range=(0.85, 0.95))",
        says="momentum_range=(0.85, 0.95)",
    ),
]

MISTAKES += UNFINISHED["optimizers"]

MISTAKES += [*first_hour.OPTIMIZERS, *everyday.OPTIMIZERS]

test_fixes_work = fixes_work(MISTAKES)
test_fixes_are_tried = fixes_are_tried("lamina/optimizers", MISTAKES)

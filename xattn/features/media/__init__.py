"""Pictures and sounds as features: named by what a person sees or hears, each a sum over patches or stretches."""

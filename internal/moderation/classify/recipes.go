package classify

// AbuseRecipe is how the embedded model of abuse is made, from COLD's training split.
//
// Its labels are half made by machine, and overcall: most of what speaks of discrimination counts as offensive
// there. So the threshold rises as far as cross-validated accuracy on these labels stays at 0.902, and such talk is
// scored down.
func AbuseRecipe() Recipe {
	return Recipe{
		Shape:  Shape{Bits: 20, Runes: 3, Sounds: 2, Words: true},
		Epochs: 4, Rate: 2, L2: 1e-5, Odds: 1, Copies: 1, CloakRate: 0.25, Positive: 1, Seed: 1, Folds: 5,
		Adjust:    map[string]float64{"discrimination_talk": -0.6, "counter_speech": -1.2},
		Threshold: Line{Accuracy: 0.902},
	}
}

// AdsRecipe is how the embedded model of advertisements is made, from the messages of QQ groups.
func AdsRecipe() Recipe {
	return Recipe{
		Shape:  Shape{Bits: 18, Runes: 2, Sounds: 1, Words: true, Contacts: true, Forms: true},
		Epochs: 20, Rate: 4, L2: 1e-3, Odds: 0.5, Positive: 1, Seed: 1, Folds: 5,
		Threshold: Line{FalsePositives: 0.02},
	}
}
